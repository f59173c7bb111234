import { expect, test } from 'vitest';
import { MINUTE, SECOND } from '../../../../core/config/units.ts';
import type { Observation } from '../../../../core/domain/observation.ts';
import { NIGHT } from '../../../../core/guards/canary.ts';
import { fallsIn } from '../../../../core/managed/falls.ts';
import type { GroupLease } from '../../../../core/managed/lease.ts';
import { anObservation, NOW } from '../../../support/builders.ts';
import { aGroupLease } from '../../../support/group-leases.ts';

const [one] = aGroupLease().nodes;
if (!one) throw new Error('a group has nodes');
const RUN_ID = '1'.repeat(40);
const engine = { name: 'valkey', version: '8.0.1' } as const;
const acquiredAt = NOW - 10 * MINUTE;
const nodes = [{ ...one, runId: RUN_ID, engine, at: NOW - MINUTE }];
const look = { node: { id: one.node } };
const falls = (seen?: Partial<Observation> | string, leased: GroupLease['nodes'] = nodes) =>
  fallsIn(
    { nodes: leased, acquiredAt },
    new Map(
      seen === undefined
        ? []
        : [
            [
              one.node,
              typeof seen === 'string'
                ? { ...look, problem: { kind: seen } }
                : { ...look, observation: anObservation({ node: one.node, at: NOW, ...seen }) },
            ],
          ],
    ),
    NOW,
  );

test('a server that has restarted since its group was switched has fallen, with its version', () => {
  expect(falls({ runId: '2'.repeat(40), uptime: 20 * SECOND })).toEqual([
    { node: one.node, runId: RUN_ID, engine, how: 'restarted', at: NOW, until: NOW + NIGHT },
  ]);
});

test.each([
  ['timeout', 'vanished'],
  ['unreachable', 'vanished'],
  ['refused', 'unchecked'],
  ['not-reached', 'unchecked'],
  [{ runId: '2'.repeat(40), uptime: 60 * MINUTE }, 'unchecked'],
])('and so may have one that was not seen (%o), from when it was seen last', (look, how) => {
  expect(falls(look)).toEqual([{ node: one.node, runId: RUN_ID, engine, how, at: NOW, until: NOW - MINUTE + NIGHT }]);
});

test('of what an older version has stored no version is known', () => {
  const [{ engine: _, ...old } = one] = nodes;
  expect(falls('timeout', [old])).toEqual([]);
});

test.each<[string, Partial<Observation> | string | undefined]>([
  ['is the same process', { runId: RUN_ID, uptime: 20 * SECOND }],
  ['was not checked', undefined],
])('one that %s has not', (_, seen) => {
  expect(falls(seen)).toEqual([]);
});
