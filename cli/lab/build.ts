import { chown, copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageText } from '../../core/format/error-text.ts';
import { openApt } from './apt.ts';
import type { FindOptions, ServerBinary } from './binary.ts';
import { publishChecked } from './cache.ts';
import { type ScratchFolder, scratchFolder } from './leash.ts';
import { requireCommands, runCommand } from './run-command.ts';

/**
 * Builds redis-server from Debian's (or Ubuntu's) source package with the jemalloc that Redis bundles, and puts it into
 * the cache. Their binary package links the system's jemalloc, which lacks the defragmentation hint. The download is
 * verified by apt against the signed index. Their security patches are not applied: the server listens on loopback only.
 * Root does not unpack and compile it, but `nobody`.
 *
 * @throws when a command is missing, the source cannot be had, it does not compile, or the result refuses to defragment
 */
export async function buildFromSource(
  work: ScratchFolder,
  logFile: string,
  options: FindOptions,
): Promise<ServerBinary> {
  const { log, signal } = options;
  await requireCommands(['apt-get', 'tar', 'make', 'cc']);
  const started = performance.now();
  log('Building Redis from its Debian source package; this is done once and takes one to two minutes on two cores.');
  const tarball = await fetchSource(work, logFile, options);
  await using place = await openBuildPlace(work, options);
  const source = await unpack(tarball, place, logFile, signal);
  const jobs = availableParallelism();
  log(`  compiling (make -j${jobs}) …`);
  // A `make` that started this process would hand its own flags and job server down.
  const env = { MAKEFLAGS: '', MFLAGS: '', MAKELEVEL: '', HOME: place.path };
  const make = ['make', '-C', 'src', 'redis-server', 'MALLOC=jemalloc', `-j${jobs}`];
  await runCommand(make, { cwd: source, env, user: place.user, signal, logFile });
  const folder = join(work.path, 'built');
  await mkdir(folder);
  // Not copyFile, which keeps the owner: who compiles must not own what is kept.
  await writeFile(join(folder, 'redis-server'), await readFile(join(source, 'src/redis-server')), { mode: 0o755 });
  const layout = { role: 'defrag', executable: 'redis-server', libraryFolders: [], origin: 'built' } as const;
  const binary = await publishChecked(folder, work, layout, signal);
  log(`  done: Redis ${binary.version} after ${Math.round((performance.now() - started) / 1000)} s.`);
  return binary;
}

/** Downloads the upstream source; returns its tarball. */
async function fetchSource(work: ScratchFolder, logFile: string, { log, signal }: FindOptions): Promise<string> {
  log('  fetching the package index and the source (a few seconds) …');
  const apt = await openApt(join(work.path, 'apt'), { logFile, signal });
  await apt.get(['source', '--download-only', 'redis'], work.path);
  const tarball = (await readdir(work.path)).find((name) => /^redis_.*\.orig\.tar\.\w+$/.test(name));
  if (tarball === undefined) throw new Error('the source package of redis came without an upstream tarball');
  return join(work.path, tarball);
}

/** Returns the source's folder. The tarball is copied for the user who builds, who may not be allowed to enter the work folder. */
async function unpack(tarball: string, { path, user }: BuildPlace, logFile: string, signal: AbortSignal | undefined) {
  const [copy, source] = [join(path, 'source.tar'), join(path, 'source')];
  await copyFile(tarball, copy);
  await mkdir(source);
  if (user !== undefined) for (const one of [copy, source]) await chown(one, user.uid, user.gid);
  await runCommand(['tar', 'xf', copy, '--strip-components=1', '-C', source], { cwd: path, user, signal, logFile });
  return source;
}

/** Where something is built, and by whom. */
interface BuildPlace extends AsyncDisposable {
  readonly path: string;
  /** Undefined: this process' own. */
  readonly user: typeof UNPRIVILEGED | undefined;
}

/** The user `nobody`, by the number that Debian and most systems give it: it owns no files. */
const UNPRIVILEGED = { uid: 65534, gid: 65534 };

/** A mount without `exec` takes the file and refuses to run it. */
const PROBE = `cd "$1" && printf '#!/bin/sh\\nexit 0\\n' >probe && chmod 700 probe && ./probe && rm probe`;

/**
 * A folder to build in. Started as root, this makes one below the temporary folder that belongs to the user `nobody`, who cannot enter root's
 * cache; it goes when it is disposed or when this process dies. Started by another user, or where `nobody` cannot build (which is logged), it
 * is the work folder.
 */
async function openBuildPlace(work: ScratchFolder, { log, signal }: FindOptions): Promise<BuildPlace> {
  const own: BuildPlace = { path: work.path, user: undefined, [Symbol.asyncDispose]: async () => {} };
  if (process.getuid?.() !== 0) return own;
  const scratch = await scratchFolder(join(tmpdir(), 'offpeak-build-'));
  try {
    await chown(scratch.path, UNPRIVILEGED.uid, UNPRIVILEGED.gid);
    await runCommand(['sh', '-c', PROBE, 'sh', scratch.path], { user: UNPRIVILEGED, signal });
    return { ...scratch, user: UNPRIVILEGED };
  } catch (error) {
    await scratch[Symbol.asyncDispose]();
    signal?.throwIfAborted();
    const why = messageText(error).replaceAll('\n', ' ');
    log(`  building as root: the user nobody cannot build below ${tmpdir()} (${why})`);
    return own;
  }
}
