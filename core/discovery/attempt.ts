import type { InstanceConfig } from '../config/schema.ts';
import { type Milliseconds, SECOND } from '../config/units.ts';
import type { Discovered } from '../domain/discovered.ts';
import { errorText } from '../format/error-text.ts';
import { DiscoveryFailure } from '../ports/discovery.ts';
import type { Ports } from '../ports/ports.ts';

/**
 * For all discoveries of a tick together: a cluster of 500 nodes answers in milliseconds, AWS in seconds. The rest of an invocation, two
 * minutes at least, is for the nodes: hundreds of sentinels behind a dropped route must not take it.
 */
const DISCOVERY_TIMEOUT: Milliseconds = 20 * SECOND;

/** Why it has found nothing. */
export interface Failure {
  readonly why: string;
  readonly isMistake: boolean;
}

/** When the time of all discoveries is over. */
export interface End {
  readonly signal: AbortSignal;
  /** Rejects when the time is over: not everything that a discovery waits for heeds a signal. */
  readonly over: Promise<never>;
}

export function endOfDiscoveries(): End {
  const signal = AbortSignal.timeout(DISCOVERY_TIMEOUT);
  const { promise: over, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', reject, { once: true });
  over.catch(() => {});
  return { signal, over };
}

/** What it has found, or why it has not. */
export async function attempted(
  instance: InstanceConfig,
  { discover, log }: Pick<Ports, 'discover' | 'log'>,
  { signal, over }: End,
): Promise<Discovered | Failure> {
  const within = `within ${DISCOVERY_TIMEOUT / SECOND} s`;
  if (signal.aborted) return { why: `it was not asked: others have not answered ${within}`, isMistake: false };
  try {
    return await Promise.race([discover(instance, signal), over]);
  } catch (error) {
    if (error instanceof DiscoveryFailure) return { why: error.message, isMistake: error.isMistake };
    if (signal.aborted) return { why: `there was no answer ${within}`, isMistake: false };
    // A mistake of this program: the nodes of all other instances are checked all the same.
    log.error('unexpected failure of a discovery', { instance: instance.id, error });
    return { why: errorText(error), isMistake: true };
  }
}
