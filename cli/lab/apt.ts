import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CommandError, runCommand } from './run-command.ts';

const SOURCES = '/etc/apt/sources.list';

interface AptOptions {
  readonly logFile: string;
  readonly signal?: AbortSignal | undefined;
}

/** apt with lists and caches of its own: it needs no root, takes none of the system's locks and changes nothing there. */
export interface Apt {
  /** Runs `apt-get` with these arguments and returns its stdout. @throws CommandError */
  get(args: readonly string[], cwd: string): Promise<string>;
}

/**
 * Makes a private apt in the folder and fetches the package index (3 s). A source that fails does not fail the whole:
 * one broken third-party entry is common, and whether the wanted package can be had shows at its download.
 */
export async function openApt(folder: string, options: AptOptions): Promise<Apt> {
  const sources = join(folder, 'sources');
  for (const needed of [sources, join(folder, 'lists/partial'), join(folder, 'cache/archives/partial')]) {
    await mkdir(needed, { recursive: true });
  }
  await copySources(sources);
  const settings = join(folder, 'apt.conf');
  await writeFile(settings, configuration(folder));
  const get = (args: readonly string[], cwd: string) =>
    // -c is read after the system's own files, APT_CONFIG before them: only -c can clear their hooks.
    runCommand(['apt-get', '-c', settings, ...args], { ...options, cwd, env: { LC_ALL: 'C' } });
  try {
    await get(['update'], folder);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
  }
  return { get };
}

/** As root, apt would hand downloads to the user _apt, who cannot write to a private folder: hence Sandbox::User. */
function configuration(folder: string): string {
  return `#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "${folder}/sources";
Dir::State::lists "${folder}/lists";
Dir::Cache "${folder}/cache";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "1";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
`;
}

/** The files that apt itself reads: in the folder, only those that end in `.list` or `.sources`. */
async function copySources(target: string): Promise<void> {
  const parts = (await readdir(`${SOURCES}.d`).catch(() => [])).filter((name) =>
    /^[\w.-]+\.(list|sources)$/.test(name),
  );
  for (const path of [SOURCES, ...parts.map((name) => join(`${SOURCES}.d`, name))]) {
    const text = await readFile(path, 'utf8').catch(() => '');
    await writeFile(join(target, basename(path)), withSourceEntries(path, text));
  }
}

/**
 * The text of an apt sources file with a `deb-src` beside every `deb`, so that source packages can be downloaded. Pure.
 * Entries on a CD are dropped: a fresh installation often has one, and apt stops at it to ask for the disc.
 *
 * @param name the file's name: `*.sources` is deb822, anything else has one entry a line (sources.list(5))
 */
export function withSourceEntries(name: string, text: string): string {
  return name.endsWith('.sources') ? deb822(text) : oneLine(text);
}

/** Stanzas: `Types: deb` becomes `Types: deb deb-src`. A stanza that is switched off stays off. */
function deb822(text: string): string {
  return text.replace(/^Types:[ \t]*(.*)$/gim, (field, value: string) => {
    const types = value.trim().split(/\s+/);
    return types.includes('deb') && !types.includes('deb-src') ? `${field.trimEnd()} deb-src` : field;
  });
}

function oneLine(text: string): string {
  const kept = text.split('\n').filter((line) => !/^\s*deb(-src)?\s[^#]*\bcdrom:/.test(line));
  const entries = new Set(kept.map(withoutComment));
  return kept
    .flatMap((line) => {
      const source = withoutComment(line).replace(/^deb(?=\s)/, 'deb-src');
      // Said already, or no `deb` line: apt warns about an entry that stands twice.
      return entries.has(source) ? [line] : [line, source];
    })
    .join('\n');
}

function withoutComment(line: string): string {
  return line.replace(/#.*$/, '').trim().replace(/\s+/g, ' ');
}
