import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Settings } from '../../../../functions/maintain/decide/observation.ts';
import { defragSettings, restoration } from '../../../../functions/maintain/decide/stall.ts';
import type { DefragPolicy } from '../../../../functions/shared/config/schema.ts';
import { anInstance, anObservation } from '../../../support/builders.ts';

const DEFAULTS: Settings = anObservation().defrag.settings ?? {};
const policy = (over: Partial<DefragPolicy> = {}): DefragPolicy => ({ ...anInstance().defrag, ...over });
const IN_ONE_BLOCK = { slicedDefrag: false };
const SLICED = { slicedDefrag: true };

/** hz and CPU as they will be once the settings are set. */
function effective(over: Partial<DefragPolicy>, current: Settings = DEFAULTS) {
  const { settings, stall } = defragSettings(policy(over), current, IN_ONE_BLOCK);
  const after = { ...current, ...settings };
  return { hz: Number(after.hz), cpu: Number(after['active-defrag-cycle-max']), stall };
}

describe('in one block: stall = cpu % × 10 / hz ms', () => {
  test.each([
    // maxStall, maxCpu → cpu, hz, stall
    [5, 25, 25, 100, 2.5],
    [25, 25, 25, 100, 2.5],
    [2, 25, 25, 250, 1],
    [1, 25, 25, 500, 0.5],
    [1, 75, 50, 500, 1],
    [1.5, 75, 75, 500, 1.5],
    [5, 75, 75, 300, 2.5],
    [5, 50, 50, 200, 2.5],
    [100, 1, 1, 100, 0.1],
    [100, 75, 75, 100, 7.5],
  ])('maxStall %d ms, maxCpu %d %%: %d %% at hz %d stalls %d ms', (maxStall, maxCpu, cpu, hz, stall) => {
    expect(effective({ maxStall, maxCpu })).toEqual({ cpu, hz, stall });
  });

  test.each([
    ['1', 100],
    ['10', 100],
    ['99', 100],
    ['100', 100],
    ['250', 250],
    ['500', 500],
  ])('an hz of %s becomes %d: never less than it is', (hz, expected) => {
    const { settings } = defragSettings(policy(), { ...DEFAULTS, hz }, IN_ONE_BLOCK);
    expect(Number({ ...DEFAULTS, hz, ...settings }.hz)).toBe(expected);
    expect('hz' in settings).toBe(String(expected) !== hz);
  });

  test('where hz cannot be read it stays as it is, and the promise is kept at the default of 10', () => {
    const { hz: _, ...withoutHz } = DEFAULTS;
    const { settings, stall } = defragSettings(policy({ maxStall: 5, maxCpu: 25 }), withoutHz, IN_ONE_BLOCK);
    expect(settings).not.toHaveProperty('hz');
    expect(settings['active-defrag-cycle-min']).toBe('5');
    expect(stall).toBe(5);
  });

  test('whatever is asked for, the promise holds and no range of Redis is left', () => {
    const maxStall = fc.double({ min: 1, max: 100, noNaN: true });
    const maxCpu = fc.integer({ min: 1, max: 75 });
    const hz = fc.option(fc.integer({ min: 1, max: 500 }).map(String), { nil: undefined });
    fc.assert(
      fc.property(maxStall, maxCpu, hz, (longest, most, at) => {
        const { hz: _, ...rest } = DEFAULTS;
        const current = at === undefined ? rest : { ...rest, hz: at };
        const { settings, stall } = defragSettings(policy({ maxStall: longest, maxCpu: most }), current, IN_ONE_BLOCK);
        const after = { 'active-defrag-cycle-max': '25', hz: '10', ...current, ...settings };
        const cpu = Number(after['active-defrag-cycle-max']);
        expect(stall).toBeLessThanOrEqual(longest);
        expect(stall).toBeCloseTo((cpu * 10) / Number(after.hz), 9);
        expect(cpu).toBeLessThanOrEqual(most);
        expect(Number.isInteger(cpu) && cpu >= 1).toBe(true);
        expect(Number.isInteger(Number(after.hz)) && Number(after.hz) <= 500).toBe(true);
      }),
    );
  });
});

describe('sliced', () => {
  test('leaves hz alone and gives maxCpu: a slice is half a millisecond', () => {
    const { settings, stall } = defragSettings(policy({ maxStall: 1, maxCpu: 75 }), DEFAULTS, SLICED);
    expect(settings).not.toHaveProperty('hz');
    expect(settings['active-defrag-cycle-max']).toBe('75');
    expect(stall).toBe(0.5);
  });

  test.each([
    ['500', undefined],
    ['100', undefined],
    ['0', undefined],
    ['501', '500'],
    ['100000', '500'],
  ])("Valkey's slices of %s µs: set to %s", (before, after) => {
    const { settings } = defragSettings(policy(), { ...DEFAULTS, 'active-defrag-cycle-us': before }, SLICED);
    expect(settings['active-defrag-cycle-us']).toBe(after);
  });
});

describe('settings', () => {
  test('for a server with defaults', () => {
    expect(defragSettings(policy(), DEFAULTS, IN_ONE_BLOCK).settings).toEqual({
      'latency-monitor-threshold': '1',
      hz: '100',
      'active-defrag-cycle-min': '25',
      'active-defrag-ignore-bytes': '1048576',
      'active-defrag-threshold-lower': '1',
      activedefrag: 'yes',
    });
  });

  test('the switch is set last, and cycle-max before cycle-min', () => {
    const { settings } = defragSettings(policy({ maxCpu: 50 }), DEFAULTS, IN_ONE_BLOCK);
    const names = Object.keys(settings);
    expect(names.at(-1)).toBe('activedefrag');
    expect(names.indexOf('active-defrag-cycle-max')).toBeLessThan(names.indexOf('active-defrag-cycle-min'));
  });

  test('only those that the server knows', () => {
    expect(defragSettings(policy(), { activedefrag: 'no' }, IN_ONE_BLOCK).settings).toEqual({ activedefrag: 'yes' });
    expect(defragSettings(policy(), {}, IN_ONE_BLOCK).settings).toEqual({});
  });

  test('only those that would change', () => {
    const { settings } = defragSettings(policy(), DEFAULTS, IN_ONE_BLOCK);
    expect(defragSettings(policy(), { ...DEFAULTS, ...settings }, IN_ONE_BLOCK).settings).toEqual({});
  });

  test.each([
    ['100', undefined],
    ['2', undefined],
    ['1', '100'],
    ['0', '100'],
    ['nan', '100'],
  ])('an upper threshold of %s becomes %s: equal ones divide by zero before Redis 8.10', (upper, expected) => {
    const current = { ...DEFAULTS, 'active-defrag-threshold-upper': upper };
    const { settings } = defragSettings(policy(), current, IN_ONE_BLOCK);
    expect(settings['active-defrag-threshold-upper']).toBe(expected);
    expect(Number({ ...current, ...settings }['active-defrag-threshold-upper'])).toBeGreaterThan(1);
  });

  test.each([
    ['0', '1'],
    ['1', undefined],
    ['5', undefined],
    ['6', '5'],
    ['100', '5'],
  ])('a latency threshold of %s ms becomes %s: it has to see a broken promise of 5 ms', (threshold, expected) => {
    const current = { ...DEFAULTS, 'latency-monitor-threshold': threshold };
    const { settings } = defragSettings(policy({ maxStall: 5 }), current, IN_ONE_BLOCK);
    expect(settings['latency-monitor-threshold']).toBe(expected);
  });
});

describe('giving back', () => {
  const prior = { hz: '10', 'active-defrag-cycle-min': '1', activedefrag: 'no' };
  const applied = { hz: '100', 'active-defrag-cycle-min': '25', activedefrag: 'yes' };
  const back = (current: Settings) => restoration({ prior, applied }, { ...DEFAULTS, ...current });

  test('everything, the switch first', () => {
    const { restore, leftAlone } = back(applied);
    expect(restore).toEqual(prior);
    expect(Object.keys(restore)[0]).toBe('activedefrag');
    expect(leftAlone).toEqual({});
  });

  test.each([
    [
      'a human switched defrag off',
      { ...applied, activedefrag: 'no' },
      { hz: '10', 'active-defrag-cycle-min': '1' },
      {},
    ],
    [
      'a human chose another hz',
      { ...applied, hz: '50' },
      { activedefrag: 'no', 'active-defrag-cycle-min': '1' },
      { hz: '50' },
    ],
    ['all of it is back already', prior, {}, {}],
    [
      'all of it is somebody else’s',
      { hz: '7', 'active-defrag-cycle-min': '7', activedefrag: '7' },
      {},
      { hz: '7', 'active-defrag-cycle-min': '7', activedefrag: '7' },
    ],
  ])('%s', (_what, current, restore, leftAlone) => {
    expect(back(current)).toEqual({ restore, leftAlone });
  });

  test('what cannot be read is given back: better twice than never', () => {
    expect(restoration({ prior, applied }, {})).toEqual({ restore: prior, leftAlone: {} });
  });

  test('what was found at our value already stays', () => {
    const lease = { prior: { ...prior, hz: '100' }, applied };
    expect(restoration(lease, applied).restore).not.toHaveProperty('hz');
  });

  test('nothing is invented for a setting whose prior value is unknown', () => {
    expect(restoration({ prior: {}, applied }, applied)).toEqual({ restore: {}, leftAlone: {} });
  });

  test('applying and giving back ends where it began', () => {
    const value = fc.integer({ min: 0, max: 200 }).map(String);
    const settings = fc.record({
      hz: value,
      'active-defrag-threshold-upper': value,
      'latency-monitor-threshold': value,
    });
    fc.assert(
      fc.property(settings, fc.boolean(), (current, slicedDefrag) => {
        const before = { ...DEFAULTS, ...current };
        const { settings: set } = defragSettings(policy(), before, { slicedDefrag });
        const kept = Object.fromEntries(
          Object.keys(set).map((name) => [name, String(before[name as keyof typeof before])]),
        );
        const { restore } = restoration({ prior: kept, applied: set }, { ...before, ...set });
        expect({ ...before, ...set, ...restore }).toEqual(before);
      }),
    );
  });
});
