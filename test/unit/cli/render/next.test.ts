import { describe, expect, test } from 'vitest';
import { nextAfterCheck, nextAfterPlan, nextWithout } from '../../../../cli/render/next.ts';
import { MIB } from '../../../../core/config/units.ts';
import type { Outcome } from '../../../../core/domain/outcome.ts';
import type { Plan } from '../../../../core/domain/plan.ts';
import { aDiagnosis, anInstance, anOutcome, anUnreached, aPlan, aSeen, aSkip, NOW } from '../../../support/builders.ts';

const PLACE = { config: "ops/night's.yml", stage: 'prod' };
const WHERE = "-c 'ops/night'\\''s.yml' --stage prod";
const little = { kind: 'little' } as const;
const findings = anOutcome({
  before: { ...aSeen(), diagnosis: aDiagnosis({ prospects: { defrag: little, purge: little } }) },
});
const healthy = anOutcome({
  before: {
    ...aSeen(),
    diagnosis: aDiagnosis({
      prospects: { defrag: little, purge: little },
      findings: [{ kind: 'too-small', usedMemoryRss: MIB, floor: 2 * MIB }],
    }),
  },
});
const fleet = (outcome: Outcome = anOutcome(), over: Parameters<typeof anInstance>[0] = {}) => ({
  outcomes: [outcome],
  instances: [anInstance(over)],
});

describe('after a check', () => {
  test('of addresses: a config where bytes can be returned, else an audit where there is a finding', () => {
    expect(nextWithout(['redis://a.example'], fleet())).toMatch(
      /^to get [\d.]+ MiB back in a window, write a config: npx offpeak init redis:\/\/a\.example -o config\/prod\.yml$/,
    );
    expect(nextWithout(['redis://a.example'], fleet(findings))).toBe(
      'what to change there: npx offpeak audit redis://a.example',
    );
  });

  test('the options that were typed are kept', () => {
    expect(nextWithout(['rediss://a.example'], fleet(findings), { memoryLimit: '6 GiB', cacert: 'ca.pem' })).toBe(
      "what to change there: npx offpeak audit rediss://a.example --memory-limit '6 GiB' --cacert ca.pem",
    );
  });

  test('a password is not repeated', () => {
    expect(nextWithout(['redis://:word@a.example'], fleet())).not.toContain('word');
  });

  test('of a config: the plan, about the same instances and with the same config', () => {
    expect(nextAfterCheck(fleet(), { ...PLACE, instance: ['carts'] })).toBe(
      `what Offpeak would do about it now, and why: npx offpeak plan -i carts ${WHERE}`,
    );
    expect(nextAfterCheck(fleet(findings), PLACE)).toBe(`what to change there: npx offpeak audit ${WHERE}`);
  });

  test('nothing, where all is well or none has answered', () => {
    expect(nextWithout(['redis://a.example'], fleet(healthy))).toBeUndefined();
    expect(nextAfterCheck(fleet(anUnreached()), PLACE)).toBeUndefined();
  });
});

describe('after a plan', () => {
  const instead = { action: 'start-defrag', predicted: { reclaim: 9 * MIB, stall: 1 } } as const;
  const afterPlan = (plan: Plan, over: Parameters<typeof anInstance>[0] = {}) =>
    nextAfterPlan(fleet(anOutcome({ plan }), over), PLACE);

  test('what acts now can be run', () => {
    expect(afterPlan(aPlan())).toBe(`to do it now, until all is restored: npx offpeak run --until-idle ${WHERE}`);
  });

  test('what waits for a window can be run without it', () => {
    expect(afterPlan(aSkip('outside-window', { until: NOW, instead }))).toBe(
      `a run or the schedule does it in the window. Not to wait for it: npx offpeak run --now -i sessions ${WHERE}`,
    );
    expect(afterPlan(aSkip('outside-window', { instead }), { windows: [] })).toMatch(
      /^add a window to the config\. Not /,
    );
  });

  test('nothing, where there is nothing to do or another thing is in the way', () => {
    expect(afterPlan(aSkip('healthy'))).toBeUndefined();
    expect(afterPlan(aSkip('loading', { instead }))).toBeUndefined();
  });
});
