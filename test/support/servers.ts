import { inject, type TestContext, TestRunner } from 'vitest';
import type { ServerBinary, ServerMissing } from '../../cli/lab/binary.ts';
import type { ServerRole } from '../../cli/lab/cache.ts';
import { type RunningServer, type StartOptions, startServer } from '../../cli/lab/start.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** What the global setup found, once for all workers. */
    readonly servers: Readonly<Record<ServerRole, ServerBinary | ServerMissing>>;
  }
}

/** Starts a server that accepts `CONFIG SET activedefrag yes`; without one the current test is skipped, in CI it fails. */
export async function defragServer(options: StartOptions = {}): Promise<RunningServer> {
  return startServer(serverBinary('defrag'), options);
}

/**
 * One whose free pages leave by a purge alone: what a defrag frees is still there for the purge, however slow the machine. Both names are
 * for both jemallocs: the system's, and the one that Redis brings along.
 */
export async function keepingServer(options: StartOptions = {}, role: ServerRole = 'defrag'): Promise<RunningServer> {
  const binary = serverBinary(role);
  const decay = 'dirty_decay_ms:600000,muzzy_decay_ms:600000';
  const env = { ...binary.env, MALLOC_CONF: decay, JE_MALLOC_CONF: decay };
  return await startServer({ ...binary, env }, options);
}

/** Starts a server that refuses `CONFIG SET activedefrag yes`; without one the current test is skipped, in CI it fails. */
export async function plainServer(options: StartOptions = {}): Promise<RunningServer> {
  return startServer(serverBinary('plain'), options);
}

/** The binary itself; without one the current test is skipped, in CI it fails. */
export function serverBinary(role: ServerRole): ServerBinary {
  const found = inject('servers')[role];
  if (found.kind === 'found') return found;
  const words = `${found.reason}. ${found.install}`;
  const context: TestContext | undefined = TestRunner.getCurrentTest()?.context;
  // In CI a skipped test is a test that nobody runs. Outside of a test (in beforeAll) there is nothing to skip.
  if (process.env.CI || context === undefined) throw new Error(words);
  return context.skip(words);
}

/** For `describe.skipIf(lacksServer('defrag'))` around a beforeAll that starts one; in CI never true, so that it fails. */
export function lacksServer(role: ServerRole): boolean {
  return !process.env.CI && inject('servers')[role].kind === 'missing';
}
