import { existsSync, globSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, matchesGlob } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import type { Config } from '../core/config/schema.ts';
import { MEANINGS, type Meaning } from '../core/diagnosis/field-meanings.ts';
import { PART_CLASS } from '../core/domain/account.ts';
import { FLEET_METRICS, JOB_METRICS } from '../core/domain/job-metrics.ts';
import { NODE_METRICS } from '../core/domain/node-metrics.ts';
import { ANCHORS } from '../infra/runbook.ts';
import { ALERT_EVENTS } from './support/alert-events.ts';
import { alarmsOfEachNode, type MonthlyCost, monthlyCost } from './support/costs.ts';
import { anchorsOf, prose } from './support/headings.ts';
import { deployable, fleetFile, LONELY_VPC, NO_NETWORK } from './unit/infra/stacks.ts';

const ROOT = join(import.meta.dirname, '..');
const PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...globSync('docs/**/*.md', { cwd: ROOT }).toSorted()];

/** Slack's buttons lead to `<runbook>#<event>`. */
const EVENTS = [...ALERT_EVENTS, 'several'];

function read(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}

describe('the runbook', () => {
  const anchors = anchorsOf(read('docs/runbook.md'));

  test.each([...Object.values(ANCHORS), ...EVENTS])('has one heading for %s', (anchor) => {
    expect(anchors.filter((one) => one === anchor)).toHaveLength(1);
  });

  test.each(Object.values(ANCHORS))('says of the alarm %s what it means', (anchor) => {
    const sections = prose(read('docs/runbook.md')).split(/^#+ +/m);
    const section = sections[anchors.indexOf(anchor) + 1] ?? '';
    expect(section).toContain('**Means:**');
    expect(section).toMatch(/\*\*(Ignore|Do)\*\*|purge the queue/);
  });
});

describe.each(PAGES)('%s', (page) => {
  test('holds no mark of an unresolved merge', () => expect(read(page)).not.toMatch(/^(<{7} |={7}$|>{7} )/m));

  const links = [...prose(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  const relative = links.filter((target) => !/^[a-z]+:/.test(target));

  it('has links that lead somewhere', () => {
    expect(relative.filter((target) => !leadsSomewhere(page, target))).toEqual([]);
  });

  it('names no file of the repository that is not there', () => {
    expect(missingOf(read(page))).toEqual([]);
  });

  it('names no machine of ours and no registry', () => {
    expect(read(page)).not.toMatch(/\/work\/|\/root\/|\/tmp\/|registry\.(?!ts\b)\w|_authToken/);
  });
});

/** Files of the reader's own, which the pages have them make. */
const THEIRS = ['config/prod.yml', 'config/staging.yml'];

/** Every file and folder of ours, and no package's or build's. */
const TOP = readdirSync(ROOT).filter((name) => !['.git', '.serverless', 'dist', 'node_modules'].includes(name));
const PATHS = TOP.flatMap((name) => [
  name,
  ...(statSync(join(ROOT, name)).isDirectory() ? globSync(`${name}/**`, { cwd: ROOT }) : []),
]);

/** Back-ticked paths that nothing in the repository has: `infra/x.ts` as it stands; `decide/x-*.ts`, whose start is left out, anywhere. */
function missingOf(markdown: string): readonly string[] {
  const named = [...prose(markdown).matchAll(/`([^`\n]+)`/g)].map(([, text = '']) => text.replace(/\/$/, ''));
  const paths = named.filter(
    // `carts/0001` is a shard.
    (text) =>
      /^[\w.*-]+(\/[\w.*-]+)*$/.test(text) &&
      !/\/\d{4}$/.test(text) &&
      (text.includes('/') || /\.(ts|cjs|md|ya?ml|json)$/.test(text)),
  );
  const isThere = (path: string) => {
    const glob = TOP.includes(path.split('/')[0] ?? '') ? path : `**/${path}`;
    return THEIRS.includes(path) || PATHS.some((one) => matchesGlob(one, glob));
  };
  return paths.filter((path) => !isThere(path));
}

test('a path that is not there is missed, whole or without its start', () => {
  const text =
    '`infra/gone.ts`, `test/support/headings.ts`, `support/headings.ts`, `support/gone-*.test.ts`, `gone.ts`, `test/model/`';
  expect(missingOf(text)).toEqual(['infra/gone.ts', 'support/gone-*.test.ts', 'gone.ts']);
});

test.each([...PAGES, ...globSync('.github/**/*.{md,yml}', { cwd: ROOT }), '.ci/run'])(
  '%s names only scripts that npm has',
  (page) => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = [...read(page).matchAll(/\bnpm run (?:-s )?([\w:-]+)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  },
);

test('docs/deploy.md cites the deny-list for the versions that it names', () => {
  const [paragraph = ''] = /^On a version that is known to crash[\s\S]*?\n\n/m.exec(read('docs/deploy.md')) ?? [];
  const [, file = ''] = /`([^`]+)`/.exec(paragraph) ?? [];
  const issues = paragraph.match(/[\w-]+\/\w+#\d+/g) ?? [];
  expect(issues.length).toBeGreaterThan(2);
  expect(issues.filter((issue) => !read(file).includes(`'${issue}'`))).toEqual([]);
});

test("docs/safety.md's tables of faults are of files that are there, and each file of faults has its own", () => {
  const named = [...read('docs/safety.md').matchAll(/^<!-- faults: (.+) -->$/gm)].map(([, file = '']) => file);
  const files = globSync('test/faults/*.test.ts', { cwd: ROOT }).filter((file) => read(file).includes('faultTable('));
  expect(named.toSorted()).toEqual(files.map((file) => basename(file)).toSorted());
});

describe.each(['docs/architecture.md', 'docs/testing.md'])('%s', (page) => {
  test.each(readdirSync(join(ROOT, 'core')))('has a row for the room %s', (room) => {
    expect(read(page)).toMatch(new RegExp(`^\\| .*\`(core/)?${room}/?[a-z]*/?\``, 'm'));
  });
});

function leadsSomewhere(page: string, target: string): boolean {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page : join(page, '..', path);
  if (!existsSync(join(ROOT, file))) return false;
  return anchor === undefined || anchorsOf(read(file)).includes(anchor);
}

test.each(
  [NODE_METRICS, JOB_METRICS, FLEET_METRICS].flatMap((metrics) => Object.values(metrics).map(({ name }) => name)),
)('the metric %s is mentioned', (name) => {
  expect(PAGES.map(read).join('\n')).toContain(`\`${name}\``);
});

const NODES = [10, 100, 1_000, 10_000];
const THROUGH_QUEUE = [1_000, 10_000];

/** More nodes than a file may hold: instances that differ in their names alone. */
function configWith(nodes: number, more = ''): Config {
  const config = deployable(fleetFile(1, more));
  const instances = Array.from({ length: nodes }, (_, n) =>
    config.instances.map((one) => ({
      ...one,
      id: `node-${n}`,
      nodes: one.nodes.map((node) => ({ ...node, id: `node-${n}.example:6379` })),
    })),
  );
  return { ...config, instances: instances.flat() };
}

function costOf(nodes: number): MonthlyCost {
  return monthlyCost(configWith(nodes), NO_NETWORK);
}

function queued(nodes: number): Config {
  return configWith(nodes, 'fleet: { queue: always }');
}

const dollars = (amount: number) =>
  `$${amount.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;

/** The bill by how nodes in trouble are named. */
function ways(): string {
  const readByAlarms = (cost: MonthlyCost) =>
    cost.lines.find(({ what }) => what === 'metrics read by alarms')?.dollars ?? 0;
  const ofJob = readByAlarms(costOf(1)) - alarmsOfEachNode(configWith(1));
  const withNet = readByAlarms(costOf(26));
  const row = (nodes: number) => {
    const cost = costOf(nodes);
    const rest = cost.dollars - readByAlarms(cost);
    const otlp = monthlyCost(configWith(nodes, 'metrics: { send: otlp }'), NO_NETWORK).dollars;
    const all = [rest + ofJob + alarmsOfEachNode(configWith(nodes)), rest + withNet, otlp];
    return `| ${nodes.toLocaleString('en-US')} | ${all.map(dollars).join(' | ')} |`;
  };
  const head =
    '| nodes | alarms of each node | alerts of the job | `send: otlp`, PromQL alarms |\n|---:|---:|---:|---:|';
  return [head, ...NODES.map(row), ''].join('\n');
}

function formula(): string {
  const between = (from: number, to: number) => (costOf(to).dollars - costOf(from).dollars) / (to - from);
  const row = (label: string, from: number, to: number) => {
    const each = between(from, to);
    return `| ${label} | $${(costOf(from).dollars - each * from).toFixed(2)} + $${each.toFixed(2)} × nodes |`;
  };
  return ['| nodes | a month |', '|---|---|', row('1 to 25', 1, 25), row('26 and more', 26, 100), ''].join('\n');
}

function fleets(): string {
  const configs = [...NODES.slice(0, -1).map((nodes) => configWith(nodes)), ...THROUGH_QUEUE.map(queued)];
  const costs = configs.map((config) => monthlyCost(config, NO_NETWORK));
  const names = costs.at(-1)?.lines.map(({ what }) => what) ?? [];
  const cells = (values: readonly string[]) => `| ${values.join(' | ')} |`;
  const lineOf = (cost: MonthlyCost, what: string) => {
    const line = cost.lines.find((one) => one.what === what);
    return line === undefined ? '' : dollars(line.dollars);
  };
  return [
    cells([
      '',
      ...NODES.slice(0, -1).map((nodes) => `${nodes.toLocaleString('en-US')} nodes`),
      ...THROUGH_QUEUE.map((nodes) => `${nodes.toLocaleString('en-US')}, with the queue`),
    ]),
    `|---|${configs.map(() => '---:|').join('')}`,
    ...names.map((what) => cells([what, ...costs.map((cost) => lineOf(cost, what))])),
    cells(['**together**', ...costs.map((cost) => `**${dollars(cost.dollars)}**`)]),
    cells([
      'with endpoints for CloudWatch and SNS in two subnets',
      ...configs.map((config) => dollars(monthlyCost(config, LONELY_VPC).dollars)),
    ]),
    '',
  ].join('\n');
}

/** UPDATE_DOCS=1 writes the tables; without it, a page that lags behind test/support/costs.ts fails. */
test.each([
  ['formula', formula],
  ['fleets', fleets],
  ['ways', ways],
] as const)("docs/costs.md's table %s is what test/support/costs.ts counts", (name, table) => {
  const text = read('docs/costs.md');
  const marked = new RegExp(`(<!-- ${name}: [^>]*-->\\n)[\\s\\S]*?(<!-- /${name} -->)`);
  const current = text.replace(marked, (_, open: string, close: string) => `${open}${table()}${close}`);
  if (process.env.UPDATE_DOCS) writeFileSync(join(ROOT, 'docs/costs.md'), current);
  expect(text).toMatch(marked);
  expect(process.env.UPDATE_DOCS ? current : text).toBe(current);
});

describe('docs/memory.md', () => {
  const text = read('docs/memory.md');

  test.each(Object.keys(PART_CLASS))('explains the part %s', (kind) => {
    expect(text).toMatch(new RegExp(`^\\|[^|]*\`${kind}\`[^|]*\\| (data|allocator|process|unknown) \\|`, 'm'));
  });

  test('has what each field means', () => {
    const marked = /(<!-- fields: [^>]*-->\n)[\s\S]*?(<!-- \/fields -->)/;
    const rows = MEANINGS.map(({ fields, meaning, source, ...meant }) => {
      const names = fields.map((name) => `\`${name}\``).join(', ');
      return `| ${names} | ${versionsOf(meant)} | ${meaning} | ${source} |`;
    });
    const table = ['| field | of | meaning | source |', '|---|---|---|---|', ...rows, ''].join('\n');
    const current = text.replace(marked, (_, start, end) => `${start}${table}${end}`);
    if (process.env.UPDATE_DOCS) writeFileSync(join(ROOT, 'docs/memory.md'), current);
    expect(process.env.UPDATE_DOCS ? current : text).toBe(current);
  });
});

function versionsOf({ of }: Pick<Meaning, 'of'>): string {
  if (!of) return 'all';
  return of
    .map(({ engine, from, below }) =>
      [engine, from && `>= ${from}`, below && `< ${below}`].filter((part) => part !== undefined).join(' '),
    )
    .join(', ');
}
