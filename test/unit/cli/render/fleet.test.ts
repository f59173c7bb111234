import { expect, test } from 'vitest';
import { fleetLines } from '../../../../cli/render/fleet.ts';
import { plainPaint } from '../../../../cli/render/style.ts';
import { briefLines } from '../../../../cli/render/tick.ts';
import { GIB, MIB } from '../../../../core/config/units.ts';
import type { Diagnosis } from '../../../../core/domain/diagnosis.ts';
import {
  aDiagnosis,
  aMemorySample,
  anInstance,
  anObservation,
  anOutcome,
  anUnreached,
  aTick,
} from '../../../support/builders.ts';

const style = { paint: plainPaint, unicode: true };

/** A node with this RSS, in MiB, of which a third is data. */
function node(name: string, rss: number, diagnosis: Partial<Diagnosis> = {}) {
  const memory = aMemorySample({ usedMemory: (rss / 3) * MIB, usedMemoryRss: rss * MIB });
  const none = { defrag: { kind: 'little' }, purge: { kind: 'little' } } as const;
  const seen = {
    observation: anObservation({ memory }),
    diagnosis: aDiagnosis({ ratio: 3, prospects: none, ...diagnosis }),
  };
  return anOutcome({ node: name, before: seen });
}
const worthwhile = { kind: 'worthwhile' } as const;
const little = { kind: 'little' } as const;
const reclaimable = { defrag: 200 * MIB, purge: { reclaim: 70 * MIB, stall: 1 } };

const OUTCOMES = [
  anUnreached({
    node: 'down:1',
    problem: { kind: 'unreachable', message: 'down:1 cannot be reached: ECONNREFUSED', expected: true },
  }),
  node('tidy:1', 300),
  node('pages:1', 600, { reclaimable, prospects: { defrag: little, purge: worthwhile } }),
  node('both:1', 900, { reclaimable, prospects: { defrag: worthwhile, purge: worthwhile } }),
  node('refused:1', 960, { reclaimable, prospects: { defrag: { kind: 'config-refused' }, purge: little } }),
  { ...node('again:1', 900), notices: [{ kind: 'same-server', as: 'both:1' }] as const },
];

test('one line for each node, by the bytes that can be returned; sums without what is counted twice or did not answer', () => {
  expect(fleetLines(OUTCOMES, style, [anInstance({ memoryLimit: GIB })])).toEqual([
    '  instance  node           RSS     used  ratio  of limit  returnable  by',
    '  sessions  both:1     900 MiB  300 MiB   3.00      88 %     200 MiB  active defrag',
    '  sessions  pages:1    600 MiB  200 MiB   3.00      59 %      70 MiB  MEMORY PURGE',
    '  sessions  refused:1  960 MiB  320 MiB   3.00      94 %         0 B  no action: the server refuses CONFIG',
    '  sessions  tidy:1     300 MiB  100 MiB   3.00      29 %         0 B  little to return',
    '  sessions  down:1                                                    down:1 cannot be reached: ECONNREFUSED',
    '  sessions  again:1                                                   the same server as both:1',
    '  total     4 servers  2.7 GiB  920 MiB                      270 MiB',
  ]);
});

test('of a server that prints one of the two sizes, that one is shown', () => {
  const [whole, part] = [node('whole:1', 300), node('part:1', 90)];
  const { usedMemory: _, ...memory } = aMemorySample({ usedMemoryRss: 90 * MIB });
  const seen = { observation: { ...anObservation(), memory }, diagnosis: part.before.diagnosis };
  expect(fleetLines([whole, { ...part, before: seen }], style, []).slice(1)).toEqual([
    expect.stringContaining('whole:1'),
    expect.stringMatching(/part:1 +90 MiB .* 0 B +INFO does not print used_memory$/),
    expect.stringMatching(/total +2 servers +390 MiB +100 MiB/),
  ]);
});

test('near its limit a line is red; a node that Offpeak defragments says so', () => {
  const paint = (tone: string, text: string) => `<${tone}>${text.trim().split(/ +/)[1]}`;
  const lines = fleetLines(OUTCOMES, { ...style, paint }, [anInstance({ memoryLimit: GIB })]);
  expect(lines.filter((line) => line.startsWith('<bad>'))).toEqual(['<bad>both:1', '<bad>refused:1', '<bad>down:1']);
  expect(fleetLines([{ ...node('a:1', 90), leased: true }], style, [])[1]).toMatch(/Offpeak is defragmenting it$/);
});

test('what concerns all of it stands above the table, and the way to the bars below', () => {
  const lines = briefLines(aTick({ outcomes: OUTCOMES, remarks: ['a remark'] }), style, fleetLines);
  expect(lines.slice(0, 3)).toEqual([
    expect.stringMatching(/prod: 6 nodes, 5 observed, 1 unreachable$/),
    'a remark',
    '',
  ]);
  expect(lines.at(-1)).toContain('--full');
});
