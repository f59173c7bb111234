import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { z } from 'zod';
import type { Executable, ServerBinary } from './binary.ts';
import { type ScratchFolder, scratchFolder } from './leash.ts';
import { defragRefusal, versionOf } from './start.ts';

/** `defrag` accepts `CONFIG SET activedefrag yes`; `plain` refuses it. */
export type ServerRole = 'defrag' | 'plain';

/** The manifest of a finished folder. Its paths are relative, because the folder was made elsewhere and moved. */
const Manifest = z.strictObject({
  role: z.enum(['defrag', 'plain']),
  executable: z.string(),
  libraryFolders: z.array(z.string()).readonly(),
  version: z.string(),
  origin: z.enum(['npm', 'built', 'debian']),
});
type Manifest = z.infer<typeof Manifest>;

const MANIFEST_FILE = 'manifest.json';

/** `$XDG_CACHE_HOME/offpeak`, else `~/.cache/offpeak`. Only an absolute XDG_CACHE_HOME counts, as its specification says. */
export function cacheFolder(): string {
  const configured = process.env.XDG_CACHE_HOME;
  return join(configured?.startsWith('/') ? configured : join(homedir(), '.cache'), 'offpeak');
}

/** Opens a folder for half-done work, on the same file system as the cache, so that a finished part can be renamed. */
export async function openWorkFolder(): Promise<ScratchFolder> {
  const parent = join(cacheFolder(), 'work');
  await mkdir(parent, { recursive: true });
  return scratchFolder(join(parent, 'w-'));
}

/** The folder of the finished binary of that role for this platform. */
function finishedFolder(role: ServerRole): string {
  return join(cacheFolder(), `${role}-${process.platform}-${process.arch}`);
}

/**
 * The cached binary, or undefined when there is none that runs. Its folder says whether it accepts active defragmentation. Whether it
 * still starts is tried with `--version`, since another machine may share this home.
 */
export async function cachedServer(role: ServerRole, signal?: AbortSignal): Promise<ServerBinary | undefined> {
  const folder = finishedFolder(role);
  try {
    const manifest = Manifest.parse(JSON.parse(await readFile(join(folder, MANIFEST_FILE), 'utf8')));
    const binary = executableIn(folder, manifest);
    await versionOf(binary, signal);
    return { kind: 'found', ...binary, version: manifest.version, source: 'cache' };
  } catch {
    // Absent, unreadable or not running here: in each case the caller gets another one.
    signal?.throwIfAborted();
    return undefined;
  }
}

/**
 * Writes the manifest into a finished folder and moves the folder into the cache, in one step: a reader sees all of
 * it or none. When another process was faster, its binary is taken, and this one goes with the work folder.
 */
export async function publish(built: string, work: ScratchFolder, manifest: Manifest): Promise<ServerBinary> {
  await writeFile(join(built, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
  const folder = finishedFolder(manifest.role);
  for (let attempt = 0; !(await moved(built, folder)); attempt += 1) {
    const rival = await cachedServer(manifest.role);
    if (rival !== undefined) return rival;
    if (attempt >= 3) throw new Error(`${folder} holds something other than a server, and cannot be moved away`);
    await moved(folder, join(work.path, `displaced-${attempt}`));
  }
  return { kind: 'found', ...executableIn(folder, manifest), version: manifest.version, source: manifest.origin };
}

/** Publishes what does as its role says. @throws when it does not, or does not start */
export async function publishChecked(
  folder: string,
  work: ScratchFolder,
  layout: Omit<Manifest, 'version'>,
  signal: AbortSignal | undefined,
): Promise<ServerBinary> {
  const found = executableIn(folder, layout);
  const refusal = await defragRefusal(found, signal);
  if (layout.role === 'defrag' && refusal !== undefined)
    throw new Error(`the server refuses to defragment: ${refusal}`);
  if (layout.role === 'plain' && refusal === undefined) throw new Error('the server can defragment');
  return publish(folder, work, { ...layout, version: await versionOf(found, signal) });
}

/** Where the executable of a folder is, and what it needs to run. */
function executableIn(folder: string, manifest: Pick<Manifest, 'executable' | 'libraryFolders'>): Executable {
  const libraries = manifest.libraryFolders.map((relative) => join(folder, relative)).join(delimiter);
  return { path: join(folder, manifest.executable), env: libraries === '' ? {} : { LD_LIBRARY_PATH: libraries } };
}

/** False when the target exists (rename(2) replaces only an empty folder) or the source is gone. */
async function moved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw error;
  }
}

/**
 * Moves a log out of its work folder to `<cache>/logs/<name>.log`, where the next reader finds it.
 *
 * @returns the new path; undefined when there is no log, because nothing was run
 */
export async function keepLog(logFile: string, name: string): Promise<string | undefined> {
  if (!existsSync(logFile)) return undefined;
  const folder = join(cacheFolder(), 'logs');
  await mkdir(folder, { recursive: true });
  const kept = join(folder, `${name}.log`);
  return (await moved(logFile, kept)) ? kept : undefined;
}
