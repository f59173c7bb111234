import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

// A start opens, checks and links 470 files; in one file it takes half of the time (docs/adr/0046-one-file-for-a-start.md).

/** What the bundle is made of. The last one is written by each installation of packages. */
const SOURCES = ['cli', 'core', 'package.json', 'node_modules/.package-lock.json'];

/** What a clone keeps to start faster; without it everything works as well. */
const KEPT = 'node_modules/.cache/offpeak';

/** The last line of a whole bundle: a full disk or a power cut may leave the beginning of one. */
export const END = '//offpeak: the end of the bundle\n';

/** Runs the command line: its bundle, or, where there is none of these sources yet, the sources, and makes the bundle for the next start. */
export async function start(root: string): Promise<void> {
  // --version and --help need a dozen of the files.
  if (process.argv.slice(2).every((word) => word.startsWith('-'))) return void (await import('./main.ts'));
  const bundle = nameOf(root);
  // What a command throws is its own: it is not run a second time.
  if (bundle !== undefined && isWhole(bundle)) return void (await import(pathToFileURL(bundle).href));
  await import('./main.ts');
  if (bundle !== undefined) await writeBundle(root, bundle);
}

/** Undefined where a source cannot be read, which a start may not need. */
function nameOf(root: string): string | undefined {
  try {
    return bundlePath(root);
  } catch {
    return undefined;
  }
}

/** False where it is absent, unreadable or cut off. */
export function isWhole(bundle: string): boolean {
  try {
    return readFileSync(bundle).subarray(-END.length).toString('latin1') === END;
  } catch {
    return false;
  }
}

/** Where the bundle of exactly these sources is, if it is there: another content is another name, so that none is ever out of date. */
export function bundlePath(root: string): string {
  const hash = createHash('sha256');
  for (const file of SOURCES.flatMap((source) => filesIn(root, source)))
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update('\0');
  return join(root, KEPT, `offpeak-${hash.digest('hex').slice(0, 32)}.mjs`);
}

function filesIn(root: string, source: string): readonly string[] {
  if (source.includes('.')) return existsSync(join(root, source)) ? [source] : [];
  const entries = readdirSync(join(root, source), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(root.length + 1))
    .toSorted();
}

/**
 * Writes the bundle, one file that a run keeps whole in memory, and removes what was kept of earlier sources. Several jobs may do so at once.
 *
 * @returns false where esbuild is not installed, or the clone is read-only: then each start reads the sources
 */
export async function writeBundle(root: string, path: string): Promise<boolean> {
  let work: string | undefined;
  try {
    const folder = join(root, 'node_modules/.cache');
    mkdirSync(join(root, KEPT), { recursive: true });
    work = mkdtempSync(join(folder, 'offpeak-'));
    const made = join(work, 'main.mjs');
    await promisify(execFile)(join(root, 'node_modules/.bin/esbuild'), [...ESBUILD, `--outfile=${made}`], {
      cwd: root,
      // Only what it needs: with NODE_DEBUG=child_process, Node prints the whole environment, passwords included.
      env: { PATH: process.env.PATH },
    });
    // What was edited meanwhile may be in it, or not.
    if (bundlePath(root) !== path) return false;
    flush(made);
    renameSync(made, path);
    for (const name of readdirSync(join(root, KEPT)))
      if (join(root, KEPT, name) !== path) rmSync(join(root, KEPT, name), { recursive: true, force: true });
    return true;
  } catch {
    return false;
  } finally {
    if (work !== undefined) rmSync(work, { recursive: true, force: true });
  }
}

/** To the disk: a rename may get there before the content. */
function flush(path: string): void {
  const file = openSync(path, 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Names stay as they are, for the stacks of unexpected failures. */
const ESBUILD = [
  'cli/main.ts',
  '--bundle',
  '--platform=node',
  '--format=esm',
  '--main-fields=module,main',
  '--minify-whitespace',
  '--minify-syntax',
  '--log-level=silent',
  '--banner:js=import{createRequire as $require}from"node:module";const require=$require(import.meta.url);',
  `--footer:js=${END.trimEnd()}`,
];
