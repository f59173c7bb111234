import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtempDisposable, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/**
 * The seam for a new action, shown on one that nobody ships: SCRIPT FLUSH, where scripts take much memory. In a copy of core/, one folder and
 * one line of the registry are all that it takes: the compiler accepts it, and the engine plans it, words included.
 */
const ROOT = join(import.meta.dirname, '../..');
const run = promisify(execFile);

const FOLDER: Readonly<Record<string, string>> = {
  'flush-scripts.ts': `
import type { Action } from '../action.ts';
import { words } from './describe.ts';
import { propose } from './propose.ts';
import { terms } from './terms.ts';

export const flushScripts: Action = {
  starts: 'flush-scripts',
  propose,
  terms,
  owns: () => false,
  words: { 'flush-scripts': words },
  effects: async () => ({
    start: (await import('./execute.ts')).flush,
    resume: () => Promise.reject(new Error('a flush leaves no lease')),
  }),
};
`,
  'step.ts': `
export interface FlushScripts {
  readonly kind: 'flush-scripts';
}

declare module '../../domain/plan.ts' {
  interface Steps {
    'flush-scripts': FlushScripts;
  }
  interface ActReasons {
    'many-scripts': true;
  }
}
`,
  'propose.ts': `
import { MIB } from '../../config/units.ts';
import type { Facts, Plan } from '../../domain/plan.ts';
import './step.ts';

export function propose({ observation }: Facts): Plan {
  const reclaim = observation.memory.scriptsVm ?? 0;
  if (reclaim < 64 * MIB) return { kind: 'skip', reason: 'healthy' };
  return { kind: 'act', action: { kind: 'flush-scripts' }, reason: 'many-scripts', predicted: { reclaim, stall: 1 } };
}
`,
  'terms.ts': `
import type { Terms } from '../../domain/terms.ts';
import { SHORT_WAIT } from '../../domain/timings.ts';

export function terms(): Terms {
  return { time: 1000, secondCheck: SHORT_WAIT, isLasting: false, blockers: [] };
}
`,
  'execute.ts': `
import type { Acting, Facts } from '../../domain/plan.ts';
import type { NodeContext } from '../context.ts';
import { type Result, underLease } from '../new-lease.ts';

export async function flush(context: NodeContext, facts: Facts, plan: Acting): Promise<Result> {
  return await underLease(context, facts, plan, { busyFor: 15_000, promisedStall: 1 }, () =>
    Promise.resolve({ kind: 'withdrawn', plan: { kind: 'skip', reason: 'changed' }, memory: facts.memory }),
  );
}
`,
  'describe.ts': `
import { bytesText } from '../../format/units.ts';
import type { StepWords } from '../action.ts';
import './step.ts';

export const words: StepWords<'flush-scripts'> = {
  name: 'flush scripts',
  why: ({ predicted }) => \`scripts take \${bytesText(predicted.reclaim)}\`,
  wouldHave: (bytes) => \`would have flushed scripts for \${bytes}\`,
  doing: 'SCRIPT FLUSH',
  failed: { title: 'SCRIPT FLUSH failed', severity: 'warning', next: () => 'Check that the ACL user has +script|flush.' },
};
`,
};

const SCENE = `
import { plan } from './core/actions/plan.ts';
import { planText } from './core/reporting/wording/plan.ts';
import { aSituation, aTidyObservation, CLOSED } from './test/support/situations.ts';

const tidy = aTidyObservation();
const observation = { ...tidy, memory: { ...tidy.memory, scriptsVm: 100 * 1024 * 1024 } };
const planned = [aSituation({ observation }), aSituation({ observation, window: CLOSED }), aSituation()].map(plan);
console.log(JSON.stringify(planned.map((one) => [one.kind === 'act' ? one.action.kind : one.reason, planText(one)])));
`;

test('a third action is a folder of its own and one line of the registry', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'offpeak-third-action-'));
  const copy = folder.path;
  for (const part of ['core', 'test/support', 'package.json', 'tsconfig.json'])
    await cp(join(ROOT, part), join(copy, part), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  await mkdir(join(copy, 'core/actions/flush-scripts'));
  for (const [name, text] of Object.entries(FOLDER))
    await writeFile(join(copy, 'core/actions/flush-scripts', name), text);
  const registry = join(copy, 'core/actions/registry.ts');
  const before = await readFile(registry, 'utf8');
  const line = 'export const ACTIONS: readonly Action[] = [defrag, purge];';
  expect(before).toContain(line);
  const added = "import { flushScripts } from './flush-scripts/flush-scripts.ts';\n";
  await writeFile(registry, added + before.replace(line, line.replace('purge]', 'purge, flushScripts]')));
  await writeFile(join(copy, 'scene.ts'), SCENE);
  const config = JSON.parse(await readFile(join(copy, 'tsconfig.json'), 'utf8'));
  await writeFile(join(copy, 'tsconfig.json'), JSON.stringify({ ...config, include: ['core'] }));

  await run(join(ROOT, 'node_modules/.bin/tsc'), [], { cwd: copy }).catch(({ stdout }) => expect(stdout).toBe(''));
  const { stdout } = await run(process.execPath, ['scene.ts'], { cwd: copy });
  expect(JSON.parse(stdout)).toEqual([
    ['flush-scripts', 'flush scripts: scripts take 100 MiB'],
    ['outside-window', expect.stringContaining('would have flushed scripts for 100 MiB')],
    ['start-defrag', expect.stringContaining('start active defrag')],
  ]);
});
