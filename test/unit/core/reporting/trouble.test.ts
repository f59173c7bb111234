import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TROUBLE_NAMES, type TroubleName } from '../../../../core/config/trouble.ts';
import { GIB, HOUR, MIB, MINUTE } from '../../../../core/config/units.ts';
import { advance, type Found, type TroubleStates, troubleFound } from '../../../../core/reporting/trouble.ts';
import { runs } from '../../../fuzz/runs.ts';
import { anInstance, anObservation, anOutcome, anUnreached, aSeen, NOW } from '../../../support/builders.ts';

const POLICY = anInstance({ memoryLimit: GIB });
const EVERY = 5 * MINUTE;
const schedule = { every: EVERY };

const well: Found = new Map(TROUBLE_NAMES.map((name) => [name, false]));
const found = (...names: readonly TroubleName[]): Found =>
  new Map([...well, ...names.map((name) => [name, true] as const)]);
const unknown: Found = new Map();

/** What is reported, one text for each check; the checks are a tick apart, or at the given minutes. */
function reported(checks: readonly (Found | readonly [minute: number, found: Found])[]): readonly string[] {
  let states: TroubleStates = {};
  return checks.map((check, index) => {
    const [minute, seen] = check instanceof Map ? [index * 5, check] : (check as readonly [number, Found]);
    const { after, events } = advance(states, seen, { now: NOW + minute * MINUTE, schedule, policy: POLICY });
    states = after;
    return events.map(({ name, phase }) => `${name} ${phase}`).join(', ');
  });
}

describe('a trouble is reported once it has lasted as long as its alarm would take', () => {
  const limit = found('near-limit');
  const gone: Found = new Map([['unreachable', true]]);
  const warning = found('fragmentation-warning');

  test.each<[string, Parameters<typeof reported>[0], readonly string[]]>([
    ['5m is the first check', [well, limit, limit], ['', 'near-limit began', '']],
    ['two checks that do not answer', [gone, gone, gone], ['', 'unreachable began', '']],
    ['one that does not', [well, gone, well, gone, well], ['', '', '', '', '']],
    ['30m are six checks', Array(7).fill(warning), ['', '', '', '', '', 'fragmentation-warning began', '']],
    ['five are too few', [...Array(5).fill(warning), well, warning], ['', '', '', '', '', '', '']],
    [
      'ticks that come a little early or late',
      [
        [0, gone],
        [4.6, gone],
        [10.2, gone],
      ],
      ['', 'unreachable began', ''],
    ],
    [
      'checks within a tick do not count',
      [
        [0, gone],
        [0.1, gone],
        [0.2, gone],
        [5, gone],
      ],
      ['', '', '', 'unreachable began'],
    ],
    ['a tick that has missed it', [gone, unknown, gone], ['', '', 'unreachable began']],
    [
      'hours without a tick',
      [
        [0, gone],
        [300, gone],
      ],
      ['', 'unreachable began'],
    ],
    ['the end takes two checks', [limit, well, well, well], ['near-limit began', '', 'near-limit over', '']],
    ['a node at its threshold', [limit, well, limit, well, limit], ['near-limit began', '', '', '', '']],
    [
      'again, after its end',
      [limit, well, well, limit],
      ['near-limit began', '', 'near-limit over', 'near-limit began'],
    ],
    [
      'a node that is gone says nothing of its memory',
      [limit, gone, gone, limit],
      ['near-limit began', '', 'unreachable began', ''],
    ],
    ['what has not lasted has no end', [gone, well, well], ['', '', '']],
  ])('%s', (_, checks, expected) => expect(reported(checks)).toEqual(expected));

  test('the critical ratio includes the warning, which comes when only that is left', () => {
    const both = found('fragmentation-warning', 'fragmentation-critical');
    expect(reported([...Array(7).fill(both), warning, warning]).filter((text) => text !== '')).toEqual([
      'fragmentation-critical began',
      'fragmentation-critical over',
    ]);
    const all = reported([...Array(7).fill(both), warning, warning, warning]);
    expect(all.at(-1)).toBe('fragmentation-warning began');
  });

  test('a clock that was set back by a day begins anew, and the trouble is reported all the same', () => {
    expect(
      reported([
        [24 * 60, gone],
        [0, gone],
        [5, gone],
      ]),
    ).toEqual(['', '', 'unreachable began']);
    expect(
      reported([
        [24 * 60, limit],
        [0, well],
        [5, well],
      ]),
    ).toEqual(['near-limit began', '', 'near-limit over']);
  });

  test('what a newer version has stored stays', () => {
    const before = { 'out-of-memory': { since: NOW - HOUR } };
    expect(advance(before, well, { now: NOW, schedule, policy: POLICY })).toEqual({ after: before, events: [] });
  });

  test('whatever the checks say: of each trouble a beginning, an end, a beginning, …, and each names the same since', () => {
    const check = fc.tuple(fc.constantFrom(well, limit, gone, unknown, warning), fc.integer({ min: 0, max: 20 }));
    fc.assert(fc.property(fc.array(check, { maxLength: 60 }), expectPairs), { numRuns: runs(0.5) });
  });
});

function expectPairs(checks: readonly (readonly [found: Found, minutesSince: number])[]): void {
  let [states, now]: [TroubleStates, number] = [{}, NOW];
  const open = new Map<TroubleName, number | undefined>();
  for (const [seen, minutes] of checks) {
    now += minutes * MINUTE;
    const { after, events } = advance(states, seen, { now, schedule, policy: POLICY });
    states = after;
    for (const { name, phase, since } of events) {
      const begins = phase === 'began';
      expect([open.get(name), seen.get(name)]).toEqual([begins ? undefined : since, begins]);
      open.set(name, begins ? since : undefined);
    }
  }
}

describe('what a check finds', () => {
  const seen = (memory: Parameters<typeof anObservation>[0]) =>
    anOutcome({ before: aSeen({ observation: anObservation(memory) }) });
  const names = (all: Found) => [...all].flatMap(([name, isThere]) => (isThere ? [name] : []));

  test.each([
    ['a fragmented server', seen({}), ['fragmentation-warning']],
    ['a tidy one', seen({ memory: { usedMemoryRss: 500 * MIB } }), []],
    [
      'twice as much',
      seen({ memory: { usedMemoryRss: 900.5 * MIB } }),
      ['fragmentation-warning', 'fragmentation-critical', 'near-limit'],
    ],
    ['near the limit', seen({ memory: { usedMemory: 850 * MIB, usedMemoryRss: 880 * MIB } }), ['near-limit']],
    ['a small one with a large ratio', seen({ memory: { usedMemory: MIB, usedMemoryRss: 13 * MIB } }), []],
    ['one without figures', seen({ memory: { usedMemory: undefined, usedMemoryRss: undefined } as never }), []],
    ['no answer', anUnreached(), ['unreachable']],
  ])('%s', (_, outcome, expected) => expect(names(troubleFound(outcome, POLICY))).toEqual(expected));

  test.each(['not-reached', 'config-problem', 'not-data-node'] as const)('%s: nothing is known', (kind) => {
    expect(troubleFound(anUnreached({ kind }), POLICY).size).toBe(0);
  });
});
