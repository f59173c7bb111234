import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/**
 * The import rules of the rooms and the purity of some of them are lint rules. Here the real linter, with the project's own
 * configuration, reads one small file for each of them, and its legal twin.
 */
const ROOT = join(import.meta.dirname, '..');
const BIOME = join(ROOT, 'node_modules', '.bin', 'biome');
const RESTRICTED = ['lint/style/noRestrictedImports', 'lint/style/noRestrictedGlobals', 'plugin'];

/** `npm run check` has the others, which take three times as long. */
const ONLY = RESTRICTED.map((category) => `--only=${category.replace('lint/', '')}`);

const PURE = 'core/guards';
const MESSAGE = 'functions/notify-slack/message';
const importing = (path: string) => `import { thing } from '${path}';\nexport const used = thing;\n`;
const Temporal = "import { Temporal } from 'temporal-polyfill';\n";

const REFUSED: readonly (readonly [folder: string, code: string])[] = [
  [PURE, importing('ioredis')],
  [PURE, importing('@aws-sdk/client-cloudwatch')],
  [PURE, importing('node:fs')],
  [PURE, importing('fs')],
  [PURE, importing('p-limit')],
  [PURE, importing('temporal-polyfill/global')],
  [PURE, importing('../adapters/redis/observe.ts')],
  [PURE, importing('./../adapters/redis/observe.ts')],
  [PURE, importing('../config/../adapters/redis/connection.ts')],
  [PURE, "export { identifyEngine } from '../adapters/redis/engine.ts';\n"],
  [PURE, "import type { Redis } from 'ioredis';\nexport type R = Redis;\n"],
  [PURE, "export * from 'ioredis';\n"],
  [PURE, "import 'ioredis';\n"],
  [PURE, "export const used = await import('node:fs');\n"],
  [PURE, "export const used = require('node:fs');\n"],
  [PURE, 'export const used = Date.now();\n'],
  [PURE, 'export const used = new Date();\n'],
  [PURE, 'export const used = performance.now();\n'],
  [PURE, 'export const used = globalThis.Date.now();\n'],
  [PURE, `${Temporal}export const used = Temporal.Now.instant();\n`],
  [PURE, 'export const used = process.env.STAGE;\n'],
  [PURE, 'export const used = crypto.randomUUID();\n'],
  [PURE, 'export const used = Math.random();\n'],
  [PURE, "export const used = Math['random']();\n"],
  [PURE, 'const { random } = Math;\nexport const used = random();\n'],
  [PURE, 'setTimeout(() => {}, 1);\n'],
  [PURE, 'setInterval(() => {}, 1);\n'],
  [PURE, 'setImmediate(() => {});\n'],
  [PURE, "export const used = fetch('http://localhost');\n"],
  [PURE, 'console.log(1);\n'],
  [PURE, "export const used = Buffer.from('a');\n"],
  ...['reporting', 'keys', 'diagnosis', 'format', 'domain'].map(
    (room) => [`core/${room}`, 'export const used = Date.now();\n'] as const,
  ),
  ...['reporting', 'diagnosis', 'format', 'domain', 'config'].map(
    (room) => [`core/${room}`, importing('node:fs')] as const,
  ),
  ['core/adapters/redis', importing('../../reconcile/tick.ts')],
  ['core/adapters/redis', importing('../../state/keys.ts')],
  ['core/actions/defrag', importing('../../reporting/report.ts')],
  ['core/keys', importing('../adapters/redis/key-reader.ts')],
  ['core/keys', importing('../actions/plan.ts')],
  ['core/guards', importing('../keys/pace.ts')],
  ['core/domain', importing('../actions/plan.ts')],
  ['core/config', importing('../domain/plan.ts')],
  ['core/reconcile', importing('../compose.ts')],
  ['core/reconcile', importing('../../cli/watch.ts')],
  ['core/reconcile', importing('../../functions/maintain/handler.ts')],
  ['core/adapters/aws', importing('../../../infra/alarm.ts')],
  ['core/state', importing('../../test/support/builders.ts')],
  ['functions/maintain', importing('../../core/actions/plan.ts')],
  ['functions/maintain', importing('../../infra/alarm.ts')],
  ['functions/maintain', importing('../../cli/main.ts')],
  ['functions/maintain', importing('../../test/support/builders.ts')],
  ['functions/maintain', importing('../notify-slack/notify.ts')],
  ['functions/notify-slack', importing('../maintain/handler.ts')],
  ['functions/notify-slack', importing('../../core/alerts/outbox.ts')],
  ['functions/notify-slack', importing('../../infra/alarm.ts')],
  [MESSAGE, importing('node:fs')],
  [MESSAGE, importing('../notify.ts')],
  [MESSAGE, importing('../slack/client.ts')],
  [MESSAGE, importing('../../../core/adapters/clock.ts')],
  [MESSAGE, 'export const used = Date.now();\n'],
  [MESSAGE, "export const used = fetch('http://localhost');\n"],
  ['functions/work', importing('../../core/actions/plan.ts')],
  ['functions/dispatch', importing('../maintain/handler.ts')],
  ['cli', importing('../core/adapters/redis/engine.ts')],
  ['cli', importing('../functions/maintain/handler.ts')],
  ['infra', importing('../core/adapters/redis/engine.ts')],
  ['infra', importing('../core/reconcile/tick.ts')],
  ['infra', importing('../cli/main.ts')],
];

const LEGAL: readonly (readonly [folder: string, code: string])[] = [
  [PURE, importing('./window.ts')],
  [PURE, importing('../config/units.ts')],
  [PURE, importing('../domain/plan.ts')],
  [PURE, importing('../diagnosis/load.ts')],
  [PURE, importing('bytes-iec')],
  [PURE, `${Temporal}export const used = Temporal.Instant.fromEpochMilliseconds(0);\n`],
  [PURE, 'export const used = Math.max(1, 2);\n'],
  [PURE, 'export const used = { now: 1, process: 2 }.process;\n'],
  ['core/reconcile', importing('../reporting/report.ts')],
  ['core/reconcile', importing('p-limit')],
  ['core/adapters/redis', importing('ioredis')],
  ['core/adapters/redis', importing('node:fs')],
  ['core/adapters/redis', importing('../../domain/engine.ts')],
  ['core/adapters/redis', 'export const used = Date.now() * Math.random();\n'],
  ['functions/maintain', importing('../compose.ts')],
  ['functions', importing('../core/compose.ts')],
  ['functions/maintain', importing('../../core/reconcile/poll-leases.ts')],
  ['functions/notify-slack', importing('../../core/domain/alert.ts')],
  [MESSAGE, importing('../../../core/format/wrap.ts')],
  [MESSAGE, importing('zod/mini')],
  ['infra', importing('../core/config/parse.ts')],
  ['infra', importing('../core/domain/job-metrics.ts')],
  ['infra', importing('./alarm.ts')],
  ['test', importing('../core/reconcile/tick.ts')],
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
      ['lint', '--reporter=json', '--max-diagnostics=none', ...ONLY],
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
