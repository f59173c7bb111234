import { describe, expect, test } from 'vitest';
import { ACTIONS, actionOf, ownerOf, wordsOf } from '../../../../core/actions/registry.ts';
import { MIB } from '../../../../core/config/units.ts';
import type { LeasePhase } from '../../../../core/domain/lease.ts';
import type { Acting, Facts, Plan } from '../../../../core/domain/plan.ts';
import { aHistory, aLease, NOW } from '../../../support/builders.ts';
import { aRetainingObservation, aSituation, aTidyObservation } from '../../../support/situations.ts';

/** What every action of the registry keeps to; a new one is tested here by being in it. */

const FACTS: Readonly<Record<string, Facts>> = {
  'a fragmented server': aSituation(),
  'a server with free pages': aSituation({ observation: aRetainingObservation(200 * MIB) }),
  'a tidy server': aSituation({ observation: aTidyObservation() }),
};
const PHASES: readonly LeasePhase[] = ['taking', 'running', 'closing', 'purging'];

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value);
    for (const part of Object.values(value)) frozen(part);
  }
  return value;
}

function isActing(plan: Plan): plan is Acting {
  return plan.kind === 'act';
}

const PROPOSALS = ACTIONS.flatMap((action) =>
  Object.entries(FACTS).flatMap(([what, facts]) => {
    const plan = action.propose(facts);
    return isActing(plan) ? [{ action, what, facts, plan }] : [];
  }),
);

describe.each(ACTIONS.map((action) => ({ action, starts: action.starts })))('the action $starts', ({ action }) => {
  test.each(Object.entries(FACTS))('proposes the same for the same facts, and changes none: %s', (_what, facts) => {
    const given = frozen(structuredClone(facts));
    expect(action.propose(given)).toEqual(action.propose(structuredClone(facts)));
  });

  test('has something to propose, and nothing on a tidy server', () => {
    expect(PROPOSALS.filter((one) => one.action === action)).not.toEqual([]);
    const tidy = FACTS['a tidy server'];
    expect(tidy && action.propose(tidy)).toMatchObject({ kind: 'skip', reason: 'healthy' });
  });

  test('proposes its own step, with a prediction', () => {
    for (const { plan } of PROPOSALS.filter((one) => one.action === action)) {
      expect(plan.action.kind).toBe(action.starts);
      expect(plan.predicted.reclaim).toBeGreaterThan(0);
      expect(plan.predicted.stall).toBeGreaterThanOrEqual(0);
    }
  });

  test('states its terms: time, a wait, and what forbids it', () => {
    for (const { facts, plan } of PROPOSALS.filter((one) => one.action === action)) {
      const terms = action.terms(facts, plan);
      expect(terms.time).toBeGreaterThanOrEqual(0);
      expect(terms.secondCheck).toBeGreaterThan(0);
      expect(terms.blockers).toEqual([]);
    }
  });

  test('waits for its cooldown, and longer after runs that returned too little', () => {
    const history = (ineffective: number) =>
      aHistory({ lastPurgeAt: NOW, lastDefragAt: NOW, ineffective: { purge: ineffective, defrag: ineffective } });
    for (const { facts, plan } of PROPOSALS.filter((one) => one.action === action)) {
      const until = (ineffective: number) =>
        action.terms({ ...facts, memory: history(ineffective) }, plan).coolingUntil ?? 0;
      expect(until(0)).toBeGreaterThan(NOW);
      expect(until(1) - NOW).toBe(2 * (until(0) - NOW));
    }
  });

  test('has words for each of its steps', () => {
    expect(Object.keys(action.words)).toContain(action.starts);
    for (const step of Object.keys(action.words) as (keyof typeof action.words)[]) {
      const { name, doing, failed, wouldHave } = wordsOf(step);
      expect([name, doing, failed.title, failed.next(true), failed.next(false)]).not.toContain('');
      expect(wouldHave('12 MiB')).not.toBe('');
    }
  });
});

test('each step that starts something belongs to one action', () => {
  expect(ACTIONS.map(({ starts }) => actionOf(starts))).toEqual(ACTIONS);
  expect(() => actionOf('stop-defrag')).toThrow(/no action starts with the step stop-defrag/);
});

test.each(PHASES)('a lease in the phase %s has one owner', (phase) => {
  const lease = aLease({ phase });
  expect(ACTIONS.filter((action) => action.owns(lease))).toEqual([ownerOf(lease)]);
});
