import { copyFile, mkdir, rename } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { cacheFolder, keepLog, openWorkFolder } from '../../cli/lab/cache.ts';
import { runCommand } from '../../cli/lab/run-command.ts';

const PACKAGE = 'aws-lambda-ric';
const VERSION = '4.0.2';
/** It and all that it needs, node-gyp included, each with its checksum: a registry that serves anything else is not believed. */
const LOCKED = join(import.meta.dirname, 'lambda-ric');

/** AWS' runtime interface client: what calls the handler in Lambda's own image of Node. */
export interface Ric {
  readonly kind: 'found';
  /** The script that Node is started with. */
  readonly entry: string;
}

interface RicMissing {
  readonly kind: 'missing';
  readonly reason: string;
}

/**
 * From the project's cache, or else from npm. No dependency of the project, because it compiles curl and itself for about a
 * minute, with cmake and a C++ compiler, on every `npm ci`.
 *
 * @param log told when something is done that takes long
 */
export async function findRic(log: (line: string) => void): Promise<Ric | RicMissing> {
  const folder = join(cacheFolder(), `ric-${VERSION}-${process.platform}-${process.arch}`);
  try {
    if (!(await loads(folder))) await install(folder, log);
    return { kind: 'found', entry: entryIn(folder) };
  } catch (error) {
    return { kind: 'missing', reason: `${PACKAGE} cannot be had: ${error instanceof Error ? error.message : error}` };
  }
}

function entryIn(folder: string): string {
  return join(folder, 'node_modules', PACKAGE, 'index.mjs');
}

/** Whether it is there, and its native half runs on this machine: another one may share this home. */
async function loads(folder: string): Promise<boolean> {
  const native = join(dirname(entryIn(folder)), 'rapid-client.node');
  // It reads its server's address while it is loaded, and crashes without one.
  const env = { AWS_LAMBDA_RUNTIME_API: '127.0.0.1:1' };
  return await runCommand([process.execPath, '-p', 'typeof require(process.argv[1]).next', native], { env }).then(
    (printed) => printed.trim() === 'function',
    () => false,
  );
}

async function install(target: string, log: (line: string) => void): Promise<void> {
  log(`Compiling ${PACKAGE} ${VERSION}, with which Lambda calls handlers (about a minute; once) …`);
  await using work = await openWorkFolder();
  const logFile = join(work.path, 'log.txt');
  const folder = join(work.path, 'ric');
  try {
    await build(folder, logFile);
    if (!(await loads(folder))) throw new Error('it was compiled and does not load');
  } finally {
    await keepLog(logFile, 'ric');
  }
  await publish(folder, target, join(work.path, 'displaced'));
}

/** Nothing of it runs before npm has compared its checksums with the lockfile's. */
async function build(folder: string, logFile: string): Promise<void> {
  await mkdir(folder);
  for (const name of ['package.json', 'package-lock.json']) await copyFile(join(LOCKED, name), join(folder, name));
  // npm and node-gyp run on the Node that will load the result.
  const PATH = [dirname(process.execPath), process.env.PATH].join(delimiter);
  const npm = (...args: readonly string[]) =>
    runCommand(['npm', ...args, '--prefix', folder, '--no-audit', '--no-fund'], {
      cwd: folder,
      env: { PATH },
      logFile,
    });
  await npm('ci', '--ignore-scripts');
  // npm hands the project's own setting on, by which no package runs anything.
  await npm('rebuild', PACKAGE, '--ignore-scripts=false');
}

/** In one step: whoever looks sees all of it or none. Another process may have been faster. */
async function publish(folder: string, target: string, displaced: string): Promise<void> {
  try {
    await rename(folder, target);
  } catch (error) {
    if (await loads(target)) return;
    // What is there does not run here, or is half of something.
    await rename(target, displaced);
    await rename(folder, target).catch(() => Promise.reject(error));
  }
}
