import { chown, copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { openApt } from './apt.ts';
import type { FindOptions, ServerBinary } from './binary.ts';
import { executableIn, publish, type WorkFolder } from './cache.ts';
import { missingCommands } from './path.ts';
import { probeDefrag, versionOf } from './probe.ts';
import { runCommand } from './run-command.ts';
import { type BuildPlace, openBuildPlace } from './unprivileged.ts';

const NEEDED_COMMANDS = ['apt-get', 'tar', 'make', 'cc'];

/**
 * Builds redis-server from Debian's (or Ubuntu's) source package with the jemalloc that Redis bundles, and puts it into
 * the cache. Their binary package links the system's jemalloc, which lacks the defragmentation hint. The download is
 * verified by apt against the signed index. Their security patches are not applied: the server listens on loopback only.
 * Root does not unpack and compile it, but `nobody` (`unprivileged.ts`).
 *
 * @throws when a command is missing, the source cannot be had, it does not compile, or the result refuses to defragment
 */
export async function buildFromSource(work: WorkFolder, logFile: string, options: FindOptions): Promise<ServerBinary> {
  const { log, signal } = options;
  const missing = await missingCommands(NEEDED_COMMANDS);
  if (missing.length > 0) throw new Error(`not on the PATH: ${missing.join(', ')}`);
  const started = performance.now();
  log('Building Redis from its Debian source package; this is done once and takes one to two minutes on two cores.');
  const tarball = await fetchSource(work, logFile, options);
  await using place = await openBuildPlace(work, options);
  const source = await unpack(tarball, place, logFile, signal);
  const jobs = availableParallelism();
  log(`  compiling (make -j${jobs}) …`);
  // A `make` that started this process would hand its own flags and job server down.
  const env = { MAKEFLAGS: '', MFLAGS: '', MAKELEVEL: '', HOME: place.path };
  await runCommand(['make', '-C', 'src', 'redis-server', 'MALLOC=jemalloc', `-j${jobs}`], {
    cwd: source,
    env,
    user: place.user,
    signal,
    logFile,
  });
  const folder = join(work.path, 'built');
  await mkdir(folder);
  // Not copyFile, which keeps the owner: who compiles must not own what is kept.
  await writeFile(join(folder, 'redis-server'), await readFile(join(source, 'src/redis-server')), { mode: 0o755 });
  const binary = await publishBuilt(folder, work, signal);
  log(`  done: Redis ${binary.version} after ${Math.round((performance.now() - started) / 1000)} s.`);
  return binary;
}

/** Downloads the upstream source; returns its tarball. */
async function fetchSource(work: WorkFolder, logFile: string, { log, signal }: FindOptions): Promise<string> {
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

async function publishBuilt(folder: string, work: WorkFolder, signal: AbortSignal | undefined): Promise<ServerBinary> {
  const layout = { executable: 'redis-server', libraryFolders: [] };
  const built = executableIn(folder, layout);
  const probe = await probeDefrag(built, signal);
  if (probe.defrag === 'refused') throw new Error(`the server just built refuses to defragment: ${probe.words}`);
  const version = await versionOf(built, signal);
  return publish(folder, work, { role: 'defrag', ...layout, version, origin: 'built' });
}
