import type { Milliseconds } from '../../config/units.ts';
import type { Purged } from '../../ports/node-session.ts';
import type { Connection } from './connection.ts';

/** Sends MEMORY PURGE. `blocked` is what this client waited: the server does nothing else meanwhile. */
export async function memoryPurge(connection: Connection, timeout: Milliseconds): Promise<Purged> {
  const startedAt = performance.now();
  const [reply] = await connection.send([['MEMORY', 'PURGE']], timeout);
  const blocked = performance.now() - startedAt;
  return reply?.ok ? { done: true, blocked } : { done: false, error: reply?.error ?? 'no reply' };
}
