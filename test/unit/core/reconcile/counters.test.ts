import { expect, test } from 'vitest';
import { MINUTE } from '../../../../core/config/units.ts';
import { StateUnavailable } from '../../../../core/ports/state-store.ts';
import { exchangeCounters } from '../../../../core/reconcile/counters.ts';
import type { TickOptions } from '../../../../core/reconcile/scope.ts';
import { COUNTERS } from '../../../../core/state/keys.ts';
import { aStore } from '../../../model/store.ts';
import {
  anInstance,
  anObservation,
  anOutcome,
  anUnreached,
  aSeen,
  NODE,
  NOW,
  RUN_ID,
} from '../../../support/builders.ts';

const FLEET: Pick<TickOptions, 'mode' | 'scope' | 'remaining'> = {
  mode: 'act',
  scope: { kind: 'fleet' },
  remaining: () => MINUTE,
};

function aTick({ store, documents }: Pick<ReturnType<typeof aStore>, 'store' | 'documents'> = aStore()) {
  const warnings: string[] = [];
  const log = { info: () => {}, warn: (text: string) => void warnings.push(text), error: () => {} };
  const exchange = (options = FLEET, metrics: 'core' | 'detailed' = 'detailed') =>
    exchangeCounters(
      { instances: [anInstance({ metrics })] },
      { ports: { store, log }, snapshot: { kind: 'readable' }, options },
    );
  return { exchange, warnings, kept: () => [...documents.keys()].filter((key) => key.startsWith(COUNTERS)) };
}

const activity = { totalCommandsProcessed: 7, ownCommands: 3, cpuSeconds: 0.5 };
const outcome = anOutcome({ before: aSeen({ observation: anObservation({ activity }) }) });

test('the next tick gets what this one has counted; a node that was not seen has none', async () => {
  const { exchange } = aTick();
  const first = await exchange();
  expect(first.counters.size).toBe(0);
  await first.keep([outcome, anUnreached({ node: 'silent:6379' })]);
  const { counters } = await exchange();
  expect([...counters]).toEqual([[NODE, { at: NOW, runId: RUN_ID, commands: 7, cpuSeconds: 0.5 }]]);
});

test('ticks that follow a defrag read them, and write none', async () => {
  const { exchange } = aTick();
  await (await exchange()).keep([outcome]);
  const follows: typeof FLEET = { ...FLEET, scope: { kind: 'leased-nodes', nodes: [] } };
  const following = await exchange(follows);
  expect(following.counters.size).toBe(1);
  await following.keep([anOutcome({ before: aSeen({ observation: anObservation({ at: NOW + 5_000 }) }) })]);
  expect((await exchange()).counters.get(NODE)?.at).toBe(NOW);
});

test.each([
  ['`metrics: core`', FLEET, 'core' as const],
  ['a run that only plans', { ...FLEET, mode: 'plan' as const }, 'detailed' as const],
  ['a run with little time left', { ...FLEET, remaining: () => 39_000 }, 'detailed' as const],
])('%s stores nothing', async (_what, options, metrics) => {
  const { exchange, kept } = aTick();
  await (await exchange(options, metrics)).keep([outcome]);
  expect(kept()).toEqual([]);
});

test.each([
  ['is down', new StateUnavailable('down')],
  ['has a bug', new TypeError('bug')],
])('a store that %s costs the rates, and not the report', async (_what, error) => {
  const { store, documents } = aStore();
  const broken = { ...store, readAll: () => Promise.reject<never>(error) };
  const { counters, keep } = await aTick({ store: broken, documents }).exchange();
  expect(counters.size).toBe(0);
  await keep([outcome]);
  expect(documents.size).toBe(0);
});
