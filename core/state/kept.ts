import { messageText } from '../format/error-text.ts';
import type { Log } from '../ports/log.ts';
import { StateUnavailable } from '../ports/state-store.ts';

/** A document that no store can hold, or a mistake of this program, must not end a tick with leases to follow: it is logged. */
export async function kept(what: string, instance: string, written: Promise<void>, log: Log): Promise<void> {
  try {
    await written;
  } catch (error) {
    const level = error instanceof StateUnavailable ? 'warn' : 'error';
    log[level](`${what} not kept`, { instance, error: messageText(error) });
  }
}
