import { describe, expect, test } from 'vitest';
import { addressOf } from '../../../../core/discovery/addresses.ts';
import type { Alert } from '../../../../core/domain/alert.ts';
import { EMPTY_HISTORY } from '../../../../core/domain/node-history.ts';
import { quarantine, takeLease } from '../../../../core/leases/lease-store.ts';
import type { QueuedBatch } from '../../../../core/ports/batch-queue.ts';
import { DiscoveryFailure } from '../../../../core/ports/discovery.ts';
import type { Ports } from '../../../../core/ports/ports.ts';
import { dispatch } from '../../../../core/reconcile/dispatch.ts';
import { writeNamedNodes } from '../../../../core/state/named-nodes.ts';
import { updateHistory } from '../../../../core/state/node-history.ts';
import { aStore } from '../../../model/store.ts';
import { aLease, NOW } from '../../../support/builders.ts';
import { configOf } from '../../../support/job.ts';

const config = configOf(`
instances:
  - id: carts
    discover: { cluster: { seeds: [redis://carts.example:6379] } }
`);
const [NODE, GONE] = ['10.0.0.1:6379', '10.0.0.2:6379'];

/** A dispatch in which the discovery finds `NODE`, or fails. */
function aDispatch({ isFound = true } = {}) {
  const { store } = aStore();
  const bodies: string[] = [];
  const alerts: Alert[] = [];
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const ports: Ports = {
    store,
    log,
    clock: { now: () => NOW, sleep: async () => {}, pause: async () => {} },
    discover: async () => {
      if (!isFound) throw new DiscoveryFailure('no seed answers');
      return { shards: [{ group: '', nodes: [{ address: addressOf(NODE, false) }] }], leftOut: [] };
    },
    open: () => Promise.reject(new Error('a dispatch connects to no node')),
    metrics: { publish: async (metrics) => ({ sent: metrics.length, rejected: [] }) },
    alerts: { send: async (some) => ({ sent: alerts.push(...some), rejected: [] }) },
  };
  const queue = {
    send: async (batches: readonly QueuedBatch[]) => {
      bodies.push(...batches.map(({ body }) => body));
      return { sent: batches.length, rejected: [] };
    },
  };
  const run = () => dispatch(config, ports, queue, { holder: 'me', remaining: () => 60_000 });
  return { store, bodies, alerts, run };
}

describe('a node that is not found any more', () => {
  test('is handed out while a lease is on there, and not for a quarantined one, whose server may come back anywhere', async () => {
    const { store, bodies, run } = aDispatch();
    const held = await takeLease(store, aLease({ instance: 'carts/0001', node: GONE }));
    await run();
    expect(bodies.join()).toContain(GONE);
    if (held) await quarantine(store, held);
    bodies.length = 0;
    await run();
    expect(bodies.join()).toContain(NODE);
    expect(bodies.join()).not.toContain(GONE);
  });

  test.each([
    [true, ['trouble-over']],
    [false, []],
  ])('ends the trouble that was reported of it, where the discovery has not failed (%s)', async (isFound, events) => {
    const { store, alerts, run } = aDispatch({ isFound });
    const troubles = { unreachable: { since: 1, reportedFor: 'carts/0001' } };
    await updateHistory(store, GONE, () => ({ ...EMPTY_HISTORY, troubles }));
    await writeNamedNodes(store, { nodes: [] }, [GONE]);
    await run();
    expect(alerts.map(({ event }) => event)).toEqual(events);
  });
});
