import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { outcomeLines } from '../../../../cli/render/outcome.ts';
import { colourPaint, plainPaint } from '../../../../cli/render/style.ts';
import { GIB, MIB } from '../../../../core/config/units.ts';
import { diagnose } from '../../../../core/diagnosis/diagnose.ts';
import type { Observation } from '../../../../core/domain/observation.ts';
import type { Outcome } from '../../../../core/domain/outcome.ts';
import {
  aDiagnosis,
  aFailure,
  anInstance,
  anObservation,
  anOutcome,
  anUnreached,
  aPlan,
  aSeen,
  aSkip,
  aTidyMemorySample,
  aVerdict,
} from '../../../support/builders.ts';
import { purged, started, stopped } from '../../core/actions/defrag/steps.ts';
import { FINDINGS, NOTICES, PAUSE, PLANS, SKIPS, STOPS } from '../../core/reporting/samples.ts';

const ascii = { paint: plainPaint, unicode: false };
const instance = anInstance({ memoryLimit: GIB });
const seen = (observation: Observation) => aSeen({ observation, diagnosis: diagnose(observation, instance) });
const drawn = (outcome: Outcome, over = instance) => outcomeLines(outcome, ascii, over).join('\n');

test('shows where RSS goes, what returns each layer, and what is planned', () => {
  const outcome = anOutcome({ plan: SKIPS['outside-window'], opsPerSecond: 12.3, mainThreadCpu: 3.14 });
  expect(outcomeLines(outcome, ascii, instance)).toMatchInlineSnapshot(`
    [
      "sessions 10.0.3.17:6379 redis 7.0.15, primary, 12 commands/s, main thread 3.1 %",
      "  RSS      ################################oooooooooooooooooooooooooo+.  841 MiB, 1.87 x used",
      "  of limit #################################################-----------  82 % of 1 GiB",
      "           # data            451 MiB    54 %",
      "           o fragmentation   357 MiB    42 %   active defrag, then a purge: 353 MiB back",
      "           + free pages       18 MiB   2.1 %   normal: the allocator keeps about this much",
      "           . overhead         15 MiB   1.8 %   no action returns it: code, stacks, Lua, modules",
      "  found    357 MiB are free, but scattered over pages that also hold data (79 % of the data): active",
      "           defrag returns 350 MiB of them",
      "  plan     nothing: outside the window, which opens Tue 07:14 Europe/Berlin (in 5 h); would have",
      "           purged 310 MiB",
    ]
  `);
});

test('in blocks the layers are told apart without colour', () => {
  const [, bar] = outcomeLines(anOutcome(), { paint: plainPaint, unicode: true }, instance);
  expect(bar).toMatch(/^ {2}RSS {6}█{32}▓{26}▒░ {2}841 MiB, 1\.87 x used$/);
});

test('a defrag that has ended: at its start, at its stop and after the purge, on one scale', () => {
  const atStop = anObservation({
    memory: aTidyMemorySample({ usedMemoryRss: 640 * MIB, allocatorResident: 625 * MIB }),
  });
  const outcome = stopped('goal-met', { before: seen(atStop) });
  expect(outcomeLines(outcome, ascii, instance)).toMatchInlineSnapshot(`
    [
      "sessions 10.0.3.17:6379 redis 7.0.15, primary",
      "  at start ============================================================  841 MiB",
      "  at stop  ################################o++++++++++++.                640 MiB",
      "  after    #################################++.                          500 MiB",
      "  of limit #############################-------------------------------  49 % of 1 GiB",
      "           # data            451 MiB ->   451 MiB",
      "           o fragmentation     6 MiB ->     6 MiB",
      "           + free pages      168 MiB ->    28 MiB   -140 MiB",
      "           . overhead         15 MiB ->    15 MiB",
      "  found    the allocator holds 168 MiB of free pages: MEMORY PURGE or time returns 150 MiB of them",
      "  done     stop active defrag: the fragmentation is removed, and the rest is not worth more work;",
      "           every setting is restored",
      "  result   returned 341 MiB of 350 MiB predicted (97 %); RSS went from 841 MiB to 500 MiB; longest",
      "           stall 3 ms, 5 ms promised",
    ]
  `);
});

test('without a configured instance there is no limit to draw', () => {
  const text = outcomeLines(purged, ascii).join('\n');
  expect(text).toMatch(/before {3}#(?:.|\n)*after {4}#/);
  expect(text).not.toMatch(/of limit/);
});

test('a negative overhead takes no room in the bar, and is said', () => {
  const observation = anObservation({ memory: { usedMemoryRss: 820 * MIB } });
  const text = drawn(anOutcome({ before: seen(observation) }));
  expect(text).toMatch(/\. overhead +-6 MiB {3,}allocated and not in RAM/);
  expect(text).toMatch(/RSS {6}#+o+\+ {2}820 MiB/);
});

test('without layers there are still used_memory and RSS', () => {
  const observation = anObservation({ memory: { memAllocator: 'libc' } });
  const text = drawn(anOutcome({ before: seen(observation), plan: aSkip('no-layers') }));
  expect(text).toMatch(/used {5}#+-+ {2}450 MiB\n {2}RSS {6}#{32}\.{28} {2}841 MiB, 1\.87 x used\n {2}of limit/);
  expect(text).toMatch(/found {4}the allocator is libc/);
});

test('near the limit the bar and the finding are in the colour of danger', () => {
  const tight = anInstance({ memoryLimit: 900 * MIB });
  const observation = anObservation();
  const outcome = anOutcome({ before: { observation, diagnosis: diagnose(observation, tight) } });
  const text = outcomeLines(outcome, { paint: colourPaint, unicode: false }, tight).join('\n');
  expect(text).toContain('\u001b[31;1m########');
  expect(text).toContain('\u001b[31;1mRSS is 841 MiB, 93 % of the memory limit of 900 MiB');
});

test.each([
  [
    'an unreachable node',
    anUnreached({ problem: { kind: 'timeout', message: 'no answer within 3 s', expected: true } }),
    'sessions 10.0.3.17:6379\n  no reply no answer within 3 s',
  ],
  [
    'a node that there was no time for',
    anUnreached({
      kind: 'not-reached',
      problem: { kind: 'not-reached', message: 'there was no time left', expected: true },
    }),
    'sessions 10.0.3.17:6379\n  no time  there was no time left',
  ],
  [
    'a node that failed',
    aFailure({ problem: { kind: 'unexpected', message: 'TypeError: x', expected: false } }),
    'sessions 10.0.3.17:6379\n  failed   TypeError: x',
  ],
] as const)('%s', (_, outcome, text) => expect(drawn(outcome)).toBe(text));

test('what was done is told from what is only planned', () => {
  expect(drawn(started)).toMatch(/defrag by Offpeak(?:.|\n)*\n {2}done {5}start active/);
  expect(drawn(anOutcome({ plan: aPlan() }))).toMatch(/\n {2}plan {5}start active/);
});

test('where there is nothing to gain, no action is offered', () => {
  const text = drawn(anOutcome({ before: aSeen({ diagnosis: aDiagnosis({ findings: [FINDINGS['too-small']] }) }) }));
  expect(text).toMatch(/o fragmentation +357 MiB +42 %\n/);
});

describe('a healthy node gets its verdict in a sentence', () => {
  const found = (memory: Partial<Observation['memory']>, over = instance) => {
    const observation = anObservation({ memory });
    const before = aSeen({ observation, diagnosis: diagnose(observation, over) });
    const lines = drawn(anOutcome({ before }), over).split('\n');
    const at = lines.findIndex((line) => line.startsWith('  found'));
    const after = lines.slice(at + 1).findIndex((line) => !/^ {11}\S/.test(line));
    return [
      lines
        .slice(at, after < 0 ? undefined : at + 1 + after)
        .join('')
        .replaceAll(/ {11}/g, ' '),
    ];
  };
  const LITTLE =
    'defrag would return 0 B (defrag.minReclaim 100 MiB), purge would return 0 B (purge.minReclaim 128 MiB)';

  test('with the share of the limit', () => {
    const tidy = aTidyMemorySample({ allocatorActive: 455 * MIB, allocatorResident: 470 * MIB });
    expect(found(tidy)).toEqual([
      `  found    healthy: RSS is 500 MiB, 1.11 x used, 49 % of the limit's 1 GiB; no action is worth it: ${LITTLE}`,
    ]);
    expect(found(tidy, anInstance())).toEqual([
      `  found    healthy: RSS is 500 MiB, 1.11 x used; no action is worth it: ${LITTLE}`,
    ]);
  });

  test('also where it is too small', () => {
    const small = { usedMemory: 20 * MIB, allocatorAllocated: 20 * MIB, allocatorActive: 30 * MIB };
    expect(found({ ...small, allocatorResident: 32 * MIB, usedMemoryRss: 40 * MIB, maxmemory: 400 * MIB })).toEqual([
      '  found    healthy: RSS is 40 MiB, too small for an action, at any ratio (minReclaim 100 MiB)',
    ]);
  });

  test('but not with a maxmemory that is too large', () => {
    expect(found({ ...aTidyMemorySample(), maxmemory: GIB }).join()).toMatch(/eviction begins at maxmemory \(1 GiB\)/);
  });
});

test('a large share of a small server is not called little: minReclaim says why nothing is done', () => {
  const memory = aTidyMemorySample({
    usedMemory: 130 * MIB,
    allocatorAllocated: 131 * MIB,
    allocatorActive: 221 * MIB,
    allocatorResident: 227 * MIB,
    allocatorFragBytes: 90 * MIB,
    usedMemoryRss: 232 * MIB,
  });
  const text = drawn(anOutcome({ before: seen(anObservation({ memory })) }));
  expect(text).toMatch(/fragmentation +90 MiB +39 % +\S+ MiB to return, below minReclaim \(100 MiB\)$/m);
});

test('a tidy node gets no advice', () => {
  const memory = aTidyMemorySample({ allocatorActive: 455 * MIB, allocatorResident: 470 * MIB });
  const observation = anObservation({ memory });
  const text = drawn(anOutcome({ before: seen(observation) }));
  expect(text).toContain('little for active defrag to return');
  expect(text).not.toMatch(/ back$/m);
});

describe('a paused instance', () => {
  const line = /^ {2}note {5}paused until Tue 06:14 Europe\/Berlin \(in 4 h\) by alice \("Black Friday"\)$/m;

  test('is said to be, where the plan has no reason to: healthy, or only looked at', () => {
    expect(drawn(anOutcome({ pause: PAUSE }))).toMatch(line);
    const { plan: _, ...watched } = anOutcome({ pause: PAUSE });
    expect(drawn(watched)).toMatch(line);
  });

  test.each([SKIPS.paused, STOPS.paused])('is said once where the plan speaks of it: $kind', (plan) => {
    const text = drawn(anOutcome({ plan, pause: PAUSE })).replaceAll(/\n */g, ' ');
    expect(text.match(/paused until/g)).toHaveLength(1);
  });
});

test('while a defrag runs its findings are not repeated at every look', () => {
  expect(drawn(anOutcome({ plan: SKIPS.defragmenting, leased: true }))).not.toContain('found');
});

describe('fits 100 columns, whatever there is to say', () => {
  const full = {
    before: aSeen({ diagnosis: aDiagnosis({ findings: Object.values(FINDINGS) }) }),
    notices: Object.values(NOTICES),
    leased: true,
  };
  const verdict = aVerdict({ kind: 'worse' });
  const name = { instance: 'i'.repeat(40), node: `${'n'.repeat(40)}.example:65535` };

  test.each(PLANS.map((plan) => [`${plan.kind} ${plan.reason}`, plan] as const))('%s', (_, plan) => {
    for (const style of [ascii, { paint: plainPaint, unicode: true }]) {
      const done = { ...purged, ...full, ...name, verdict };
      const outcome = plan.kind === 'act' ? { ...done, plan } : anOutcome({ ...full, ...name, plan });
      const lines = outcomeLines(outcome, style, instance);
      expect(lines.filter((line) => line.length > 100)).toEqual([]);
      expect(lines.join('\n')).not.toMatch(/undefined|NaN|Infinity/);
    }
  });

  test('with colours it is the same text', () => {
    const outcome = { ...purged, ...full, verdict, plan: aPlan() };
    const painted = outcomeLines(outcome, { paint: colourPaint, unicode: false }, instance).join('\n');
    expect(stripVTControlCharacters(painted)).toBe(drawn(outcome));
  });
});
