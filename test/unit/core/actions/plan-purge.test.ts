import { describe, expect, test } from 'vitest';
import { plan } from '../../../../core/actions/plan.ts';
import { planAfterDefrag } from '../../../../core/actions/purge/after-defrag.ts';
import type { InstanceConfig } from '../../../../core/config/schema.ts';
import { MIB, MINUTE } from '../../../../core/config/units.ts';
import type { Facts, Plan, SkipReason } from '../../../../core/domain/plan.ts';
import { aHistory, anInstance, NOW } from '../../../support/builders.ts';
import { aRetainingObservation, aSituation, CLOSED } from '../../../support/situations.ts';

/** 200 MiB of pages less what stays of a heap of 657; 400 ms/GiB. */
const PURGE = { reclaim: Math.round((200 - 6 - 0.02 * 657) * MIB), stall: 77 };

const withPurge = (over: Partial<InstanceConfig['purge']>, more: Partial<InstanceConfig> = {}) =>
  anInstance({ ...more, purge: { ...anInstance().purge, ...over } });

describe('a purge is worth it', () => {
  const reasonWith = (policy: Partial<InstanceConfig['purge']>) =>
    plan(aSituation({ observation: aRetainingObservation(), policy: withPurge(policy) })).reason;

  test.each([
    ['from minReclaim on', { minReclaim: PURGE.reclaim }, 'free-pages'],
    ['not below it', { minReclaim: PURGE.reclaim + 1 }, 'healthy'],
    ['up to maxBlock', { maxBlock: PURGE.stall }, 'free-pages'],
    ['not beyond it', { maxBlock: PURGE.stall - 0.5 }, 'would-block'],
  ])('%s', (_what, policy, reason) => {
    expect(reasonWith(policy)).toBe(reason);
  });
});

test('a server that does not know MEMORY PURGE is not asked again before its next start', () => {
  const observation = aRetainingObservation();
  const after = (runId: string) =>
    plan(aSituation({ observation, memory: aHistory({ runId, purgeSupport: 'absent' }) })).reason;
  expect(after(observation.runId ?? '')).toBe('purge-refused');
  expect(after('the one before')).toBe('free-pages');
});

describe('only pages that both looks found are purged for', () => {
  const second = (before: number, now: number) =>
    plan(
      aSituation({
        observation: aRetainingObservation(now * MIB),
        earlier: aRetainingObservation(before * MIB, { at: NOW - 12_000 }),
      }),
    );

  test('pages that are still there', () => {
    expect(second(200, 200)).toMatchObject({ kind: 'act', predicted: PURGE });
    expect(second(400, 200)).toMatchObject({ kind: 'act', predicted: PURGE });
  });

  test('pages that came since do not count for the gain, but for the time', () => {
    expect(second(190, 200)).toMatchObject({
      kind: 'act',
      predicted: { reclaim: PURGE.reclaim - 10 * MIB, stall: PURGE.stall },
    });
  });

  test('pages of which most came since are left to the decay', () => {
    expect(second(100, 200).reason).toBe('healthy');
  });

  test('pages that went by themselves need nothing', () => {
    expect(second(200, 30).reason).toBe('healthy');
  });
});

describe('right after a defrag', () => {
  const afterDefrag = (retained: number, over: Partial<Facts> = {}) =>
    planAfterDefrag(aSituation({ observation: aRetainingObservation(retained * MIB), ...over }), NOW - 2 * MINUTE);

  test('the pages that it freed are purged at once, below minReclaim and within the cooldown too', () => {
    const memory = aHistory({ lastPurgeAt: NOW - 3 * MINUTE, ineffective: { purge: 5, defrag: 0 } });
    expect(afterDefrag(40, { memory })).toMatchObject({
      kind: 'act',
      action: { kind: 'purge' },
      reason: 'after-defrag',
    });
  });

  test('once: a job that died after the purge of this lease has left no other trace', () => {
    const memory = aHistory({ lastPurgeAt: NOW - MINUTE });
    expect(afterDefrag(40, { memory })).toMatchObject({ kind: 'skip', reason: 'cooling-down' });
  });

  test.each<readonly [string, SkipReason, Plan]>([
    ['few pages', 'healthy', afterDefrag(20)],
    ['purge disabled', 'disabled', afterDefrag(200, { policy: withPurge({ enabled: false }) })],
    [
      'MEMORY PURGE refused an hour ago',
      'purge-refused',
      afterDefrag(200, { memory: aHistory({ purgeRefusedAt: NOW - 60 * MINUTE }) }),
    ],
    ['too many to purge within maxBlock', 'would-block', afterDefrag(400)],
    ['a window that has closed', 'outside-window', afterDefrag(200, { window: CLOSED })],
    [
      'BGSAVE',
      'forking',
      afterDefrag(200, {
        observation: aRetainingObservation(200 * MIB, { persistence: { rdbBgsaveInProgress: true } }),
      }),
    ],
    ['no time', 'not-enough-time', afterDefrag(200, { remaining: 10_000 })],
  ])('%s: %s', (_what, reason, planned) => {
    expect(planned).toMatchObject({ kind: 'skip', reason });
  });
});
