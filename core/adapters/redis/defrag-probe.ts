import type { Connection } from './connection.ts';
import { COMMAND_TIMEOUT_MS } from './failure.ts';

/** Part of every refusal, from Redis 4 to Valkey 9, under changing prefixes (redis#4809). */
const CANNOT_DEFRAG = /active defragmentation cannot be enabled/i;

/** By `rename-command`, or by a managed service: no right would change it. */
const UNKNOWN = /^ERR unknown (sub)?command/i;

/** A value that no version accepts, so that a CONFIG SET with it never succeeds. */
const PROBE_PARAMETER = 'active-defrag-cycle-max';

const PROBE_VALUE = 'offpeak-asks-only';

/**
 * `mem_allocator` does not say it: Debian's builds report jemalloc and refuse. The server's own answer does, and since Redis 7.0 nothing has to be
 * switched on for it: CONFIG SET accepts all of its parameters or none (config.c configSetCommand), checks them in order, and names the
 * one that failed. The second one here always fails.
 */
export async function probeDefrag(
  connection: Connection,
): Promise<'supported' | 'unsupported' | 'refused' | undefined> {
  const [reply] = await connection.send(
    [['CONFIG', 'SET', 'activedefrag', 'yes', PROBE_PARAMETER, PROBE_VALUE]],
    COMMAND_TIMEOUT_MS,
  );
  if (!reply || reply.ok) return undefined;
  if (CANNOT_DEFRAG.test(reply.error)) return 'unsupported';
  if (reply.error.startsWith('NOPERM') || isUnknownCommand(reply.error)) return 'refused';
  return reply.error.includes(PROBE_PARAMETER) ? 'supported' : undefined;
}

/** The server does not know the command at all. */
export function isUnknownCommand(error: string): boolean {
  return UNKNOWN.test(error);
}

export function isDefragRefusal(error: string): boolean {
  return CANNOT_DEFRAG.test(error);
}
