import { describe, expect, test } from 'vitest';
import { configOf, instanceWith, problemsOf } from './build.ts';

const MIB = 1024 ** 2;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

test('what is written nowhere has the built-in default', () => {
  expect(instanceWith()).toEqual({
    id: 'sessions',
    nodes: [{ id: '10.0.0.5:6379', host: '10.0.0.5', port: 6379, tls: false }],
    windows: [],
    holidays: [],
    maxShardsAtOnce: { percent: 10 },
    purge: { enabled: true, minReclaim: 128 * MIB, maxBlock: 100, cooldown: 6 * HOUR },
    defrag: {
      enabled: true,
      through: 'config',
      minReclaim: 100 * MIB,
      maxStall: 5,
      maxCpu: 25,
      cooldown: 6 * HOUR,
      allowModules: [],
    },
    maxMainThreadCpu: 40,
    thresholds: {
      fragmentationWarning: { ratio: 1.5, for: 30 * MINUTE, floor: 100 * MIB },
      fragmentationCritical: { ratio: 2, for: 10 * MINUTE, floor: 100 * MIB },
      rssCritical: { percentOfLimit: 85, for: 5 * MINUTE },
    },
    metrics: 'core',
  });
});

describe('instance over defaults over built-in', () => {
  const { instances } = configOf(`
defaults:
  timezone: UTC
  memoryLimit: 4GiB
  windows:
    - { days: daily, start: "01:00", duration: 1h }
    - { days: [sun], start: "05:00", duration: 1h }
  defrag: { maxStall: 7ms, maxCpu: 30 }
  thresholds: { fragmentationWarning: { ratio: 1.2, floor: 1GiB } }
  maxMainThreadCpu: 60%
  maxOpsPerSecond: 5000
  metrics: detailed
instances:
  - { id: inherits, url: redis://a }
  - id: overrides
    url: redis://b
    timezone: Europe/Berlin
    windows: [{ days: [mon], start: "02:00", duration: 2h }]
    defrag: { maxCpu: 10 }
    thresholds: { fragmentationWarning: { floor: 2GiB }, rssCritical: { for: 1m } }
    maxMainThreadCpu: 30
    metrics: core
  - { id: watches, url: redis://c, windows: [], purge: { enabled: false }, defrag: { enabled: false } }
`);
  const [inherits, overrides, watches] = instances;

  test('an instance without a value of its own has that of defaults', () => {
    expect(inherits).toMatchObject({ timezone: 'UTC', memoryLimit: 4096 * MIB, metrics: 'detailed' });
    expect(inherits?.windows).toHaveLength(2);
    expect(inherits?.defrag).toMatchObject({ maxStall: 7, maxCpu: 30, cooldown: 6 * HOUR });
  });

  test('mappings merge key by key, at every depth', () => {
    expect(overrides?.defrag).toMatchObject({ maxStall: 7, maxCpu: 10, cooldown: 6 * HOUR });
    expect(overrides?.thresholds).toMatchObject({
      fragmentationWarning: { ratio: 1.2, for: 30 * MINUTE, floor: 2048 * MIB },
      rssCritical: { percentOfLimit: 85, for: MINUTE },
    });
  });

  test('lists replace, an empty one too', () => {
    expect(overrides?.windows).toEqual([{ days: ['mon'], start: '02:00', duration: 2 * HOUR }]);
    expect(watches?.windows).toEqual([]);
  });

  test('the two limits of load are apart: commands have one only where it is written', () => {
    expect(instances.map(({ maxMainThreadCpu, maxOpsPerSecond }) => [maxMainThreadCpu, maxOpsPerSecond])).toEqual([
      [60, 5000],
      [30, 5000],
      [60, 5000],
    ]);
    expect(instanceWith()).not.toHaveProperty('maxOpsPerSecond');
  });

  test('one instance does not change the next one', () => {
    expect(watches?.defrag).toMatchObject({ enabled: false, maxStall: 7, maxCpu: 30 });
    expect(inherits?.purge.enabled).toBe(true);
  });
});

test('both cures off with a window is allowed: watch only', () => {
  const windows = 'windows: [{ days: daily, start: "02:00", duration: 3h }]';
  const instance = instanceWith('timezone: UTC', windows, 'purge: { enabled: false }', 'defrag: { enabled: false }');
  expect(instance).toMatchObject({ purge: { enabled: false }, defrag: { enabled: false } });
});

describe('a mistake in defaults is told once, where it is written', () => {
  const TWO = 'instances:\n- { id: a, url: redis://a }\n- { id: b, url: redis://b }';

  test.each([
    ['defaults: { purge: { minReclaim: 5 } }', 'defaults.purge.minReclaim', '5 has no unit'],
    ['defaults: { id: a }', 'defaults.id', 'unknown key `id`: it belongs to each instance'],
    ['defaults: { url: redis://h }', 'defaults.url', 'unknown key `url`: it belongs to each instance'],
    ['defaults: { credentials: {} }', 'defaults.credentials', 'unknown key `credentials`: it belongs to each instance'],
    [
      'defaults: { windows: [{ days: daily, start: "02:00", duration: 3h }] }',
      'defaults.timezone',
      'is required: the windows need a time zone, and Offpeak does not guess one',
    ],
    [
      'defaults: { thresholds: { fragmentationWarning: { ratio: 3 } } }',
      'defaults.thresholds.fragmentationCritical.ratio',
      'the critical ratio, 2, is below the warning ratio, 3',
    ],
    ['defaults:', 'defaults', 'has no value'],
  ])('%s', (defaults, path, message) => {
    expect(problemsOf(`${defaults}\n${TWO}`)).toMatchObject([{ path, message, line: 1 }]);
  });

  test('defaults that every instance completes are fine', () => {
    const file = `defaults: { thresholds: { fragmentationWarning: { ratio: 3 } } }
instances: [{ id: a, url: redis://a, thresholds: { fragmentationCritical: { ratio: 4 } } }]`;
    expect(problemsOf(file)).toEqual([]);
  });
});
