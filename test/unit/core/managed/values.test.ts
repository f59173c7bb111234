import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isOn, rangeOf, restorationAt, restorationOf, valuesFor } from '../../../../core/managed/values.ts';
import type { Parameter } from '../../../../core/ports/parameter-groups.ts';

const parameter = (name: string, value: string, allowed: string, over: Partial<Parameter> = {}): Parameter => ({
  ...{ name, value, allowed, source: 'engine-default', isModifiable: true, isImmediate: true },
  ...over,
});
const GROUP = [
  parameter('activedefrag', 'no', 'yes,no'),
  parameter('active-defrag-cycle-max', '25', '1-75'),
  parameter('active-defrag-cycle-min', '1', '1-75'),
  parameter('active-defrag-ignore-bytes', '104857600', '10485760-104857600'),
  parameter('active-defrag-threshold-lower', '10', '1-100'),
];
const replaced = (one: Parameter) => GROUP.map((other) => (other.name === one.name ? one : other));

test('the values that AWS accepts and that keep the promise', () => {
  expect(valuesFor(GROUP, 5)).toEqual({
    cpu: 5,
    values: {
      'active-defrag-cycle-max': '5',
      'active-defrag-cycle-min': '5',
      'active-defrag-ignore-bytes': '10485760',
      'active-defrag-threshold-lower': '1',
      activedefrag: 'yes',
    },
    prior: Object.fromEntries(GROUP.map(({ name, value }) => [name, { value, source: 'engine-default' }])),
  });
});

test('what is as wanted already is not changed', () => {
  const { values } = valuesFor(replaced(parameter('active-defrag-cycle-min', '5', '1-75')), 5) as { values: object };
  expect(Object.keys(values)).not.toContain('active-defrag-cycle-min');
});

describe('refused with words', () => {
  test.each([
    [GROUP.slice(1), 'the group has no activedefrag'],
    [
      replaced(parameter('activedefrag', 'yes', 'yes,no', { source: 'user' })),
      'activedefrag is yes in the group already: a person has set it, and Offpeak leaves it',
    ],
    [
      replaced(parameter('activedefrag', 'no', 'no')),
      'activedefrag accepts no: the value that Offpeak needs is not among them',
    ],
    [
      replaced(parameter('active-defrag-cycle-max', '25', '10-75')),
      'active-defrag-cycle-max accepts 10-75: more than 5 %, which is what defrag.maxStall and defrag.maxCpu allow',
    ],
    [
      replaced(parameter('active-defrag-cycle-max', '25', '1-75', { isModifiable: false })),
      'AWS does not let active-defrag-cycle-max be changed',
    ],
    [
      replaced(parameter('active-defrag-cycle-max', '25', '1-75', { isImmediate: false })),
      'active-defrag-cycle-max would be changed by a reboot only',
    ],
    [
      replaced({ name: 'active-defrag-cycle-max', isModifiable: true, isImmediate: true }),
      'AWS does not say which values active-defrag-cycle-max takes',
    ],
  ])('%#', (parameters, words) => {
    expect(valuesFor(parameters, 5)).toEqual({ refused: [words] });
  });
});

test('a range is read, and nothing else is taken for one', () => {
  expect(rangeOf('10485760-104857600')).toEqual({ least: 10_485_760, most: 104_857_600 });
  for (const text of ['', 'yes,no', '1-', '-1-5', 'a-b']) expect(rangeOf(text)).toBeUndefined();
});

describe('restoration', () => {
  const applied = { activedefrag: 'yes', 'active-defrag-cycle-max': '5' };
  const now = (value: string, cycle: string, source: string | undefined = 'user'): Parameter[] => {
    const over = source === undefined ? {} : { source };
    const bare = { isModifiable: true, isImmediate: true, ...over };
    return [
      { name: 'activedefrag', value, ...bare },
      { name: 'active-defrag-cycle-max', value: cycle, ...bare },
    ];
  };
  const prior = {
    activedefrag: { value: 'no', source: 'engine-default' },
    'active-defrag-cycle-max': { value: '60', source: 'user' },
  };

  test('by source: a default is reset, a value is set again', () => {
    expect(restorationOf(applied, prior, now('yes', '5'))).toEqual({
      set: { 'active-defrag-cycle-max': '60' },
      reset: ['activedefrag'],
      leftAlone: {},
    });
  });

  test('without a source (MemoryDB) by value; without a value by a reset', () => {
    const ofMemoryDb = { activedefrag: { value: 'no' }, 'active-defrag-cycle-max': {} };
    expect(restorationOf(applied, ofMemoryDb, now('yes', '5', undefined))).toEqual({
      set: { activedefrag: 'no' },
      reset: ['active-defrag-cycle-max'],
      leftAlone: {},
    });
  });

  test('what a person has set meanwhile stays', () => {
    const found = restorationOf(applied, prior, now('no', '33'));
    expect(found).toEqual({ set: {}, reset: [], leftAlone: { 'active-defrag-cycle-max': '33' } });
    expect(isOn(found)).toBe(false);
  });

  describe('of a lease whose end is long over (S3)', () => {
    const lease = { applied: { ...applied, 'active-defrag-cycle-min': '5' }, prior, expiresAt: 0 };
    const day = 24 * 60 * 60 * 1000;
    const min = { name: 'active-defrag-cycle-min', value: '5', isModifiable: true, isImmediate: true, source: 'user' };

    test.each([
      ['the switch alone may be a person’s by now', day + 1, now('yes', '33'), ['activedefrag']],
      ['and so may the switch with one value', day + 1, now('yes', '5'), ['activedefrag', 'active-defrag-cycle-max']],
    ])('%s', (_, at, parameters, stands) => {
      const found = restorationAt(lease, parameters, at);
      expect({ set: found.set, reset: found.reset }).toEqual({ set: {}, reset: [] });
      expect(Object.keys(found.leftAlone)).toEqual(expect.arrayContaining(stands));
      expect(isOn(restorationAt(lease, parameters, day))).toBe(true);
    });

    test('two values besides the switch are no accident', () => {
      const parameters = [...now('yes', '5'), min];
      expect(restorationAt(lease, parameters, 30 * day)).toEqual(restorationOf(lease.applied, prior, parameters));
    });
  });

  describe('where the switch alone stands (S3)', () => {
    const lease = { applied, prior, expiresAt: Number.MAX_SAFE_INTEGER };

    test.each([
      [
        'another value is as before: a job has restored both, and a person has set the switch since',
        now('yes', '60'),
        [],
      ],
      ['a person has changed the other value: the switch is still the run’s', now('yes', '33'), ['activedefrag']],
    ])('and %s', (_, parameters, reset) => {
      expect(restorationAt(lease, parameters, 0).reset).toEqual(reset);
    });

    test('and nothing else was changed, it is the run’s', () => {
      const { activedefrag } = prior;
      const alone = { ...lease, applied: { activedefrag: 'yes' }, prior: { activedefrag } };
      expect(restorationAt(alone, now('yes', '60'), 0).reset).toEqual(['activedefrag']);
    });
  });

  test('carried out, it leaves nothing to restore, whatever the values were', () => {
    const value = fc.constantFrom('1', '5', '25', '60');
    fc.assert(
      fc.property(value, value, fc.constantFrom('user', 'engine-default'), (before, set, source) => {
        const [cycle = GROUP[0]] = [parameter('active-defrag-cycle-max', set, '1-75', { source: 'user' })];
        if (!cycle) return;
        const own = { 'active-defrag-cycle-max': set };
        const was = { 'active-defrag-cycle-max': { value: before, source } };
        const { set: again, reset } = restorationOf(own, was, [cycle]);
        const after = { ...cycle, value: again[cycle.name] ?? (reset.length > 0 ? before : set), source };
        expect(isOn(restorationOf(own, was, [after]))).toBe(false);
        expect(after.value).toBe(before);
      }),
    );
  });
});
