import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GENTLEST, ladderOf, paceSettings } from '../../../../../core/actions/defrag/ladder.ts';
import { restoration } from '../../../../../core/actions/defrag/restore.ts';
import { defragSettings } from '../../../../../core/actions/defrag/settings.ts';
import type { InstanceConfig } from '../../../../../core/config/schema.ts';
import type { Settings } from '../../../../../core/domain/observation.ts';
import { anInstance, anObservation } from '../../../../support/builders.ts';

const DEFAULTS: Settings = anObservation().defrag.settings ?? {};
const policy = (over: Partial<InstanceConfig['defrag']> = {}): InstanceConfig['defrag'] => ({
  ...anInstance().defrag,
  ...over,
});
const IN_ONE_BLOCK = { slicedDefrag: false };
const SLICED = { slicedDefrag: true };

/** hz and CPU as they will be once the settings are set. */
function effective(over: Partial<InstanceConfig['defrag']>, current: Settings = DEFAULTS) {
  const { settings, stall } = defragSettings(policy(over), current, IN_ONE_BLOCK);
  const after = { ...current, ...settings };
  return { hz: Number(after.hz), cpu: Number(after['active-defrag-cycle-max']), stall };
}

describe('in one block: stall = cpu % × 10 / hz ms', () => {
  test.each([
    // maxStall, maxCpu → cpu, stall
    [5, 25, 25, 0.5],
    [1, 25, 25, 0.5],
    [1, 75, 50, 1],
    [1.5, 75, 75, 1.5],
    [5, 75, 75, 1.5],
    [100, 1, 1, 0.02],
  ])('maxStall %d ms, maxCpu %d %%: %d %% at hz 500 stalls %d ms', (maxStall, maxCpu, cpu, stall) => {
    expect(effective({ maxStall, maxCpu })).toEqual({ cpu, hz: 500, stall });
  });

  test.each(['1', '10', '100', '499', '500'])('an hz of %s becomes 500: short bursts keep neighbours out', (hz) => {
    const { settings } = defragSettings(policy(), { ...DEFAULTS, hz }, IN_ONE_BLOCK);
    expect({ ...DEFAULTS, hz, ...settings }.hz).toBe('500');
    expect('hz' in settings).toBe(hz !== '500');
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
    ['500', '500'],
    ['100', '100'],
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
      hz: '500',
      'active-defrag-cycle-max': '25',
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

  test('only those that would change, and what the pace may change later', () => {
    const { settings } = defragSettings(policy(), DEFAULTS, IN_ONE_BLOCK);
    expect(defragSettings(policy(), { ...DEFAULTS, ...settings }, IN_ONE_BLOCK).settings).toEqual({
      'active-defrag-cycle-max': '25',
      'active-defrag-cycle-min': '25',
    });
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

describe('the pace', () => {
  const current = { ...DEFAULTS, 'active-defrag-cycle-us': '400' };
  const ladder = ladderOf(25, current);
  const applied = defragSettings(policy(), current, SLICED).settings;
  const lease = { applied, ladder };

  test('halves the CPU share and the slices with each step, down to an eighth', () => {
    expect(ladder).toEqual({
      'active-defrag-cycle-max': ['25', '12', '6', '3'],
      'active-defrag-cycle-min': ['25', '12', '6', '3'],
      'active-defrag-cycle-us': ['400', '200', '100', '50'],
    });
    expect(ladderOf(1, DEFAULTS)['active-defrag-cycle-max']).toEqual(['1', '1', '1', '1']);
  });

  test('changes what holds another of its own values, and nothing that somebody else has set', () => {
    const now = { ...current, ...applied };
    expect(paceSettings(lease, 0, now)).toEqual({});
    expect(paceSettings(lease, 2, { ...now, 'active-defrag-cycle-max': '12' })).toEqual({
      'active-defrag-cycle-max': '6',
      'active-defrag-cycle-min': '6',
      'active-defrag-cycle-us': '100',
    });
    expect(paceSettings(lease, 2, { ...now, 'active-defrag-cycle-max': '40' })).not.toHaveProperty(
      'active-defrag-cycle-max',
    );
  });

  test('whatever its step, what it has set is recognised and given back', () => {
    for (const level of [0, 1, 2, GENTLEST]) {
      const now = { ...current, ...applied, ...paceSettings(lease, level, { ...current, ...applied }) };
      const prior = Object.fromEntries(
        Object.keys(applied).map((name) => [name, String(current[name as keyof typeof current])]),
      );
      expect({ ...now, ...restoration({ ...lease, prior }, now).restore }).toEqual(current);
    }
  });

  test('a lease of 0.1 has no steps', () => {
    expect(paceSettings({ applied }, 3, { ...current, ...applied })).toEqual({});
  });
});

test.each([
  [
    'Valkey 8.1 looks at its clock after 512 hits: values of 100 bytes',
    { slicedDefrag: true, coarseClock: true },
    100,
    1.6,
  ],
  ['of 10 KB', { slicedDefrag: true, coarseClock: true }, 10_000, 11.8],
  ['others after each: of 10 KB', { slicedDefrag: true }, 10_000, 0.5],
] as const)('%s', (_what, engine, valueBytes, stall) => {
  expect(defragSettings(policy(), DEFAULTS, engine, valueBytes).stall).toBeCloseTo(stall, 1);
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
