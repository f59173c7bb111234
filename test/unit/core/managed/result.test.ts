import { expect, test } from 'vitest';
import { MIB, MINUTE } from '../../../../core/config/units.ts';
import { resultOf } from '../../../../core/managed/result.ts';
import { NOW } from '../../../support/builders.ts';
import { aGroupLease } from '../../../support/group-leases.ts';

const [node] = aGroupLease().nodes;
if (!node) throw new Error('a group has nodes');
const lease = aGroupLease({ restoredAt: NOW, closing: 'goal-met' });
const leased = { ...node, rssBefore: 500 * MIB, rss: 300 * MIB, predicted: 220 * MIB };

test('what a group has returned on a node: which group, from when to when, why it ended', () => {
  expect(resultOf(lease, leased, NOW + MINUTE)).toEqual({
    ...{ at: NOW, lasted: 10 * MINUTE, because: 'goal-met', through: 'own', kind: 'improved' },
    ...{ rssBefore: 500 * MIB, rssAfter: 300 * MIB, reclaimed: 200 * MIB, predicted: 220 * MIB, promisedStall: 5 },
  });
});

test.each([
  ['less than a quarter of what was predicted', { rss: 460 * MIB }],
  ['more memory than before', { rss: 510 * MIB, predicted: 0 }],
])('%s: unchanged', (_, over) => {
  expect(resultOf(lease, { ...leased, ...over }, NOW)).toMatchObject({ kind: 'unchanged' });
});

test('a lease of a version that stored neither the end nor predictions', () => {
  const { restoredAt: _, ...old } = lease;
  const { predicted: __, ...before } = leased;
  expect(resultOf(old, before, NOW)).toMatchObject({ at: NOW, predicted: 0, kind: 'improved' });
});
