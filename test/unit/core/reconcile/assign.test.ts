import { expect, test } from 'vitest';
import { addressOf } from '../../../../core/discovery/addresses.ts';
import { EMPTY_HISTORY } from '../../../../core/domain/node-history.ts';
import { NO_PAUSES } from '../../../../core/domain/pause.ts';
import type { Outage } from '../../../../core/domain/stage.ts';
import { groupsIn } from '../../../../core/reconcile/assign.ts';
import type { Snapshot } from '../../../../core/reconcile/snapshot.ts';
import { anInstance } from '../../../support/builders.ts';

const NOW = Date.parse('2026-11-26T02:00:00Z');

const shard = (name: string, ...nodes: readonly string[]) =>
  anInstance({
    id: `s/${name}`,
    nodes: nodes.map((node) => addressOf(node, false)),
    found: { by: 's', group: 's', shards: 2 },
  });
const SHARDS = [shard('0001', 'a:1', 'b:1'), shard('0002', 'c:1')];

function fallOf(node: string): Outage {
  return { node, runId: 'r', engine: { name: 'redis', version: '7.0.15' }, how: 'restarted', at: NOW, until: NOW + 1 };
}

test('what a tick has found itself counts for each shard of the group, before any history knows of it', () => {
  const snapshot = {
    kind: 'readable',
    historyOf: (node: string) =>
      node === 'b:1' ? { ...EMPTY_HISTORY, crashed: { version: '7', at: NOW - 5 } } : EMPTY_HISTORY,
    pauses: NO_PAUSES,
  } as unknown as Snapshot;
  const groups = groupsIn(SHARDS, snapshot, [fallOf('c:1'), fallOf('elsewhere:1')], NOW);
  expect(groups.get('s')?.fallen.map(({ node }) => node)).toEqual(['c:1', 'b:1']);
});
