import { chmod, copyFile, mkdir, mkdtempDisposable, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { buildFromSource } from '../../../cli/lab/build.ts';
import { openWorkFolder } from '../../../cli/lab/cache.ts';
import { missingCommands, runCommand } from '../../../cli/lab/run-command.ts';
import { serverBinary } from '../../support/servers.ts';

const NOBODY = 65534;
const OURS = process.getuid?.() ?? -1;

afterEach(() => vi.unstubAllEnvs());

/** In place of Debian's archive: a source whose make says who runs it, and whose server is a real one. */
async function anArchive(folder: string): Promise<{ readonly bin: string; readonly said: string }> {
  const said = join(folder, 'said');
  const [tree, bin] = [join(folder, 'redis-7.0.15/src'), join(folder, 'bin')];
  for (const each of [tree, bin, said]) await mkdir(each, { recursive: true });
  await chmod(said, 0o777);
  await copyFile(serverBinary('defrag').path, join(tree, 'real'));
  const recipe = [
    `id -u >${said}/make`,
    `stat -c %u . real >${said}/owners`,
    `echo "$$HOME" >${said}/home`,
    'cp real redis-server',
  ];
  await writeFile(join(tree, 'Makefile'), `redis-server:\n${recipe.map((line) => `\t${line}\n`).join('')}`);
  await runCommand(['tar', 'czf', join(folder, 'source.tar.gz'), '-C', folder, 'redis-7.0.15']);
  const apt = `#!/bin/sh\ncase "$*" in *source*) cp ${folder}/source.tar.gz redis_7.0.15.orig.tar.gz;; esac\n`;
  await writeFile(join(bin, 'apt-get'), apt, { mode: 0o755 });
  return { bin, said };
}

async function build(folder: string, temporary: string) {
  const { bin, said } = await anArchive(folder);
  await mkdir(temporary);
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
  vi.stubEnv('TMPDIR', temporary);
  vi.stubEnv('PATH', `${bin}:${process.env.PATH}`);
  const lines: string[] = [];
  await using work = await openWorkFolder();
  const options = { log: (line: string) => void lines.push(line) };
  const binary = await buildFromSource(work, join(work.path, 'log.txt'), options);
  const words = async (name: string) => (await readFile(join(said, name), 'utf8')).trim().split('\n');
  return {
    binary,
    lines,
    users: (await words('make')).map(Number),
    owners: (await words('owners')).map(Number),
    home: (await words('home'))[0],
    left: (await readdir(temporary)).filter((name) => name.startsWith('offpeak-build')),
  };
}

describe('F17: a build from source', () => {
  test('is unpacked and compiled by nobody where root asks for it, and leaves nothing but the server', async (context) => {
    const missing = await missingCommands(['make', 'cc', 'tar']);
    if (missing.length > 0) context.skip(`not on the PATH: ${missing.join(', ')}`);
    await using folder = await mkdtempDisposable(join(tmpdir(), 'offpeak-test-'));
    await chmod(folder.path, 0o755);
    const temporary = join(folder.path, 'tmp');
    const { binary, users, owners, home, left, lines } = await build(folder.path, temporary);
    const builder = OURS === 0 ? NOBODY : OURS;
    expect({ users, owners, left }).toEqual({ users: [builder], owners: [builder, builder], left: [] });
    // Not root's: a compiler that writes there would find it closed.
    if (OURS === 0) expect(home?.startsWith(temporary)).toBe(true);
    expect(binary).toMatchObject({ kind: 'found', source: 'built' });
    const { uid, mode } = await stat(binary.path);
    expect({ uid, mode: mode & 0o777 }).toEqual({ uid: OURS, mode: 0o755 });
    expect(lines.join('\n')).not.toContain('building as root');
  });

  test('says so where root has to build it itself', async (context) => {
    if (OURS !== 0) context.skip('only root can hand a build to another user');
    await using folder = await mkdtempDisposable(join(tmpdir(), 'offpeak-test-'));
    // Closed to others, as root's own folders are: nobody cannot even enter.
    await chmod(folder.path, 0o700);
    const { binary, users, left, lines } = await build(folder.path, join(folder.path, 'tmp'));
    expect({ users, left }).toEqual({ users: [0], left: [] });
    expect(lines.join('\n')).toMatch(/building as root: the user nobody cannot build below \S+ \(.+\)/);
    expect(binary).toMatchObject({ kind: 'found', source: 'built' });
  });
});
