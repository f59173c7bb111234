import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { commandLineFor } from '../../../../cli/command-line.ts';
import { tickJson } from '../../../../cli/render/json.ts';
import type { Tick } from '../../../../core/reconcile/scope.ts';
import { anInstance, anOutcome, anUnreached, aPlan, aVerdict, NODE, NOW } from '../../../support/builders.ts';
import { anAlert } from '../../../support/telemetry-builders.ts';
import { purged } from '../../core/actions/defrag/steps.ts';
import { NOTICES, PAUSE, SKIPS } from '../../core/reporting/samples.ts';

const PAGE = readFileSync(new URL('../../../../docs/cli-json.md', import.meta.url), 'utf8');
const DOCUMENTED = new Set([...PAGE.matchAll(/`([\w.]+)`/g)].flatMap(([, name = '']) => name.split('.')));

/** A plan's settings, a finding's figures and a verdict are theirs; a blocker's figures are in its sentence. */
const OPEN = ['action', 'findings', 'verdict', 'blockers', 'underWay', 'denial'];

function keysOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(keysOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...(OPEN.includes(key) ? [] : keysOf(inner))]);
}

const problem = { kind: 'unreachable', message: 'no answer', expected: true };
const FULL: Tick = {
  at: NOW,
  stage: 'prod',
  instances: [anInstance({ memoryLimit: 1, found: { by: 'carts', group: 'carts' } })],
  undiscovered: ['carts'],
  outcomes: [
    {
      ...purged,
      plan: aPlan({ predicted: { reclaim: 1, stall: 1, firstCycle: 2, duration: 3, isLearned: true } }),
      verdict: aVerdict(),
      leased: true,
      pause: PAUSE,
      opsPerSecond: 12,
      mainThreadCpu: 3,
      notices: Object.values(NOTICES),
    },
    ...Object.values(SKIPS).map((plan) => anOutcome({ plan })),
    anUnreached({ problem }),
  ],
  leased: [{ instance: 'sessions', node: NODE }],
  idle: false,
  remarks: ['a remark'],
  undelivered: 1,
  problem: 'why',
  troubles: ['what'],
};
const line = tickJson(FULL, [anAlert()], commandLineFor({ config: 'prod.yml' }));

test('docs/cli-json.md names every field', () => {
  const missing = keysOf(JSON.parse(line)).filter((key) => !DOCUMENTED.has(key));
  expect([...new Set(missing)]).toEqual([]);
});

test('every time is ISO 8601: no epoch is left in the whole document', () => {
  expect(line).not.toMatch(/\b1[4-9]\d{11}\b/);
  expect(line).toMatch(/"until":"2026-/);
});

test.each([
  [{ config: 'config/prod.yml' }, "npx offpeak pause a --reason 'load test' -c config/prod.yml"],
  [
    { config: "my 'own'.yml", stage: 'prod', state: '/tmp/s.json' },
    "npx offpeak pause a --reason 'load test' -c 'my '\\''own'\\''.yml' --stage prod --state /tmp/s.json",
  ],
])('a command can be copied as it stands: %j', (place, expected) => {
  expect(commandLineFor(place)('pause', 'a', '--reason', 'load test')).toBe(expected);
});
