import { describe, expect, test } from 'vitest';
import { plan } from '../../../../core/actions/plan.ts';
import { planAfterDefrag } from '../../../../core/actions/purge/after-defrag.ts';
import { HOUR, MINUTE } from '../../../../core/config/units.ts';
import { longest, type Pause } from '../../../../core/domain/pause.ts';
import type { Facts } from '../../../../core/domain/plan.ts';
import { anInstance, anObservation, NOW } from '../../../support/builders.ts';
import { aRetainingObservation, aSituation, aTidyObservation, CLOSED } from '../../../support/situations.ts';
import { PAUSE } from '../reporting/samples.ts';

const on = { kind: 'skip', reason: 'paused', until: PAUSE.until, pause: { reason: 'Black Friday', by: 'alice' } };
const foreign = anObservation({ defrag: { settings: { activedefrag: 'yes' }, running: 25 } });
const noLayers = anObservation({ memory: { memAllocator: 'libc' } });
const nothingEnabled = anInstance({
  purge: { ...anInstance().purge, enabled: false },
  defrag: { ...anInstance().defrag, enabled: false },
});

describe('while an instance is paused', () => {
  test.each<readonly [what: string, over: Partial<Facts>, action: string]>([
    ['a fragmented node is not defragmented', {}, 'start-defrag'],
    ['retained pages are not purged', { observation: aRetainingObservation() }, 'purge'],
    ['the pause is told, whether the window is open or not', { window: CLOSED }, 'start-defrag'],
    ['and on a holiday', { window: { ...CLOSED, holiday: true } }, 'start-defrag'],
    [
      'and where a guard would forbid it',
      { observation: anObservation({ persistence: { loading: true } }) },
      'start-defrag',
    ],
  ])('%s', (_what, over, action) => {
    expect(plan(aSituation({ ...over, pause: PAUSE }))).toEqual({
      ...on,
      instead: { action, predicted: expect.objectContaining({ reclaim: expect.any(Number) }) },
    });
  });

  test.each<readonly [reason: string, over: Partial<Facts>]>([
    ['healthy', { observation: aTidyObservation() }],
    ['foreign-defrag', { observation: foreign }],
    ['no-layers', { observation: noLayers }],
    ['disabled', { policy: nothingEnabled }],
  ])('a node on which nothing would be done says why: %s', (reason, over) => {
    expect(plan(aSituation({ ...over, pause: PAUSE }))).toEqual(plan(aSituation(over)));
    expect(plan(aSituation({ ...over, pause: PAUSE })).reason).toBe(reason);
  });

  test('a finished defrag is not followed by its purge', () => {
    const observation = aRetainingObservation();
    expect(planAfterDefrag(aSituation({ observation }), NOW - 2 * MINUTE)).toMatchObject({
      kind: 'act',
      reason: 'after-defrag',
    });
    expect(planAfterDefrag(aSituation({ observation, pause: PAUSE }), NOW - 2 * MINUTE)).toMatchObject(on);
  });
});

describe('outside of the window', () => {
  const nextOpening = NOW + 77 * HOUR;
  test.each([
    [
      { open: false, nextOpening, holiday: true },
      { reason: 'holiday', until: nextOpening },
    ],
    [
      { open: false, nextOpening },
      { reason: 'outside-window', until: nextOpening },
    ],
  ] as const)('%j', (window, expected) => {
    expect(plan(aSituation({ window }))).toMatchObject({
      kind: 'skip',
      instead: { action: 'start-defrag' },
      ...expected,
    });
  });

  test('a holiday without an end has none in the plan either', () => {
    const held = plan(aSituation({ window: { open: false, nextOpening: undefined, holiday: true } }));
    expect(held).toMatchObject({ kind: 'skip', reason: 'holiday' });
    expect(held).not.toHaveProperty('until');
  });
});

describe('of the pauses on an instance', () => {
  const until = (end: number): Pause => ({ ...PAUSE, until: end });
  test.each<readonly [what: string, pauses: readonly (Pause | undefined)[], end: number | undefined]>([
    ['there is none', [], undefined],
    ['neither is there', [undefined, undefined], undefined],
    ['one is on', [undefined, until(NOW + 1)], NOW + 1],
    ['one that ends now is over', [until(NOW)], undefined],
    ['the one that ends later counts', [until(NOW + 5), until(NOW + 9)], NOW + 9],
    ['an expired one does not hide the other', [until(NOW - 9), until(NOW + 5)], NOW + 5],
  ])('%s', (_what, pauses, end) => expect(longest(pauses, NOW)?.until).toBe(end));
});
