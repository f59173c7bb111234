import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/**
 * The import rules of the design and the purity of decide/ are lint rules. Here the real linter, with the project's own
 * configuration, reads one small file for each of them, and its legal twin.
 */
const ROOT = join(import.meta.dirname, '..');
const BIOME = join(ROOT, 'node_modules', '.bin', 'biome');
const RESTRICTED = ['lint/style/noRestrictedImports', 'lint/style/noRestrictedGlobals', 'plugin'];

const DECIDE = 'functions/maintain/decide';
const MESSAGE = 'functions/notify-slack/message';
const importing = (path: string) => `import { thing } from '${path}';\nexport const used = thing;\n`;
const Temporal = "import { Temporal } from 'temporal-polyfill';\n";

const REFUSED: readonly (readonly [folder: string, code: string])[] = [
  [DECIDE, importing('ioredis')],
  [DECIDE, importing('@aws-sdk/client-cloudwatch')],
  [DECIDE, importing('node:fs')],
  [DECIDE, importing('fs')],
  [DECIDE, importing('zod')],
  [DECIDE, importing('temporal-polyfill/global')],
  [DECIDE, importing('../observe.ts')],
  [DECIDE, importing('./../observe.ts')],
  [DECIDE, importing('../../shared/redis/connection.ts')],
  [DECIDE, importing('../../shared/config/../redis/connection.ts')],
  [DECIDE, importing('../../shared/aws/sns.ts')],
  [DECIDE, importing('../../shared/redis/engine.ts')],
  [DECIDE, "import { type Engine } from '../../shared/redis/engine.ts';\nexport type E = Engine;\n"],
  [DECIDE, "export { identifyEngine } from '../../shared/redis/engine.ts';\n"],
  [DECIDE, "import type { Redis } from 'ioredis';\nexport type R = Redis;\n"],
  [DECIDE, "export * from 'ioredis';\n"],
  [DECIDE, "import 'ioredis';\n"],
  [DECIDE, "export const used = await import('node:fs');\n"],
  [DECIDE, "export const used = require('node:fs');\n"],
  [DECIDE, 'export const used = Date.now();\n'],
  [DECIDE, 'export const used = new Date();\n'],
  [DECIDE, 'export const used = performance.now();\n'],
  [DECIDE, 'export const used = globalThis.Date.now();\n'],
  [DECIDE, `${Temporal}export const used = Temporal.Now.instant();\n`],
  [DECIDE, 'export const used = process.env.STAGE;\n'],
  [DECIDE, 'export const used = crypto.randomUUID();\n'],
  [DECIDE, 'export const used = Math.random();\n'],
  [DECIDE, "export const used = Math['random']();\n"],
  [DECIDE, 'const { random } = Math;\nexport const used = random();\n'],
  [DECIDE, 'setTimeout(() => {}, 1);\n'],
  [DECIDE, 'setInterval(() => {}, 1);\n'],
  [DECIDE, 'setImmediate(() => {});\n'],
  [DECIDE, "export const used = fetch('http://localhost');\n"],
  [DECIDE, 'console.log(1);\n'],
  [DECIDE, "export const used = Buffer.from('a');\n"],
  ['functions/maintain', importing('../../infra/alarms.ts')],
  ['functions/maintain', importing('../../cli/main.ts')],
  ['functions/maintain', importing('../../test/support/builders.ts')],
  ['functions/maintain', importing('../notify-slack/notify.ts')],
  ['functions/notify-slack', importing('../maintain/publish.ts')],
  [MESSAGE, importing('node:fs')],
  [MESSAGE, importing('../notify.ts')],
  [MESSAGE, importing('../slack/client.ts')],
  [MESSAGE, importing('../../maintain/publish.ts')],
  [MESSAGE, 'export const used = Date.now();\n'],
  [MESSAGE, 'export const used = process.env.STAGE;\n'],
  [MESSAGE, "export const used = fetch('http://localhost');\n"],
  ['functions/notify-slack', importing('../../infra/alarms.ts')],
  ['functions/shared/redis', importing('../../maintain/observe.ts')],
  ['functions/shared/redis', importing('../../notify-slack/slack.ts')],
  ['functions/shared/redis', importing('../../../infra/alarms.ts')],
  ['functions/shared/redis', importing('../../../cli/main.ts')],
  ['infra', importing('../functions/shared/redis/engine.ts')],
  ['infra', importing('../functions/shared/config/../redis/engine.ts')],
  ['infra', importing('../functions/maintain/run.ts')],
  ['infra', importing('../cli/main.ts')],
];

const LEGAL: readonly (readonly [folder: string, code: string])[] = [
  [DECIDE, importing('./plan.ts')],
  [DECIDE, importing('../../shared/config/units.ts')],
  [DECIDE, importing('../../shared/contracts/metrics.ts')],
  [DECIDE, importing('bytes-iec')],
  [DECIDE, "import type { Engine } from '../../shared/redis/engine.ts';\nexport type E = Engine;\n"],
  [DECIDE, `${Temporal}export const used = Temporal.Instant.fromEpochMilliseconds(0);\n`],
  [DECIDE, 'export const used = Math.max(1, 2);\n'],
  [DECIDE, 'export const used = { now: 1, process: 2 }.process;\n'],
  ['functions/maintain', importing('ioredis')],
  ['functions/maintain', importing('node:fs')],
  ['functions/maintain', importing('../shared/redis/connection.ts')],
  ['functions/maintain', 'export const used = Date.now() * Math.random();\n'],
  ['functions/notify-slack', importing('../shared/contracts/alert.ts')],
  [MESSAGE, importing('../../shared/contracts/alert.ts')],
  [MESSAGE, importing('zod/mini')],
  ['functions/shared/redis', importing('../config/units.ts')],
  ['functions/shared/redis', importing('ioredis')],
  ['infra', importing('../functions/shared/config/parse.ts')],
  ['infra', importing('../functions/shared/contracts/metrics.ts')],
  ['infra', importing('./alarms.ts')],
  ['cli', importing('../functions/maintain/run.ts')],
  ['test', importing('../functions/maintain/run.ts')],
];

let workspace = '';
let refusals: ReadonlyMap<string, readonly string[]> = new Map();
const fileOf = (folder: string, verdict: string, index: number) => `${folder}/${verdict}-${index}.ts`;

beforeAll(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'offpeak-architecture-'));
  await cp(join(ROOT, 'lint'), join(workspace, 'lint'), { recursive: true });
  // The copy is no git repository; everything else is the project's own configuration.
  const config = JSON.parse(await readFile(join(ROOT, 'biome.json'), 'utf8'));
  await writeFile(join(workspace, 'biome.json'), JSON.stringify({ ...config, vcs: { enabled: false } }));
  const files = [...REFUSED.entries()].map(
    ([index, [folder, code]]) => [fileOf(folder, 'refused', index), code] as const,
  );
  const twins = [...LEGAL.entries()].map(([index, [folder, code]]) => [fileOf(folder, 'legal', index), code] as const);
  for (const [path, code] of [...files, ...twins]) {
    await mkdir(dirname(join(workspace, path)), { recursive: true });
    await writeFile(join(workspace, path), code);
  }
  refusals = await lint(workspace);
});

afterAll(() => rm(workspace, { recursive: true, force: true }));

/** The rules, of those that are about the architecture, that each file breaks. */
async function lint(folder: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const report = await new Promise<string>((resolve) => {
    execFile(
      BIOME,
      ['lint', '--reporter=json', '--max-diagnostics=none'],
      { cwd: folder, maxBuffer: 2 ** 26 },
      (_, out) => resolve(out),
    );
  });
  const broken = new Map<string, string[]>();
  for (const { category, location } of JSON.parse(report).diagnostics) {
    if (RESTRICTED.includes(category)) broken.set(location.path, [...(broken.get(location.path) ?? []), category]);
  }
  return broken;
}

describe('the linter refuses', () => {
  test.each(
    REFUSED.map(([folder, code], index) => ({ folder, code: code.trim(), path: fileOf(folder, 'refused', index) })),
  )('$folder: $code', ({ path }) => expect(refusals.get(path) ?? []).not.toEqual([]));
});

describe('the linter accepts', () => {
  test.each(
    LEGAL.map(([folder, code], index) => ({ folder, code: code.trim(), path: fileOf(folder, 'legal', index) })),
  )('$folder: $code', ({ path }) => expect(refusals.get(path) ?? []).toEqual([]));
});

test('the project itself is clean', async () => {
  const broken = await lint(ROOT);
  expect([...broken.keys()]).toEqual([]);
});
