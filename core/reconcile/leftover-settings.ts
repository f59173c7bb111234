import { factsAt, type NodeContext, outcomeOf, seenBy } from '../actions/context.ts';
import { ownSettings } from '../actions/defrag/own-settings.ts';
import { restoreSettings } from '../actions/defrag/restore.ts';
import type { Lease } from '../domain/lease.ts';
import type { NodeHistory } from '../domain/node-history.ts';
import type { Notice } from '../domain/notice.ts';
import type { Observation } from '../domain/observation.ts';
import type { Observed } from '../domain/outcome.ts';
import { BUSY } from '../domain/timings.ts';
import { allHeld, type HeldLease, leasesOf } from '../leases/lease-store.ts';
import { type HeldRecord, renewRecord } from '../leases/records.ts';
import type { Ports } from '../ports/ports.ts';
import { historyFor } from '../state/history-placement.ts';
import { LEASE } from '../state/keys.ts';

/**
 * Settings of an earlier lease stand on a server without one, and its record says what was before: restored, in or out of a window,
 * once for each run of the server. Undefined: there is nothing of the kind, or only a person can say what was before. `refused`: the
 * server does not take it back.
 */
export async function restoreLeftover(
  context: NodeContext,
  observation: Observation,
  memory: NodeHistory,
): Promise<Observed | 'refused' | undefined> {
  const { record: held } = context;
  const hand = ownSettings(observation, held?.record);
  if (!held || hand?.by !== 'record') return undefined;
  const facts = factsAt(context, observation, { memory: historyFor(observation, memory) });
  const later = outcomeOf(context, facts, { kind: 'skip', reason: 'left-on' });
  if (context.dryRun) return later;
  const claimed = await claim(context, held, observation);
  if (!claimed) return later;
  const { settled, restored, missing } = await restoreSettings(context, held.record, observation);
  if (missing.length > 0) {
    context.ports.log.error('settings not restored', { instance: context.instance.id, node: context.node, missing });
    return 'refused';
  }
  const notice: Notice = { kind: 'left-on', standing: hand.standing, restored };
  const outcome: Observed = { ...later, before: seenBy(context, settled, facts.memory), notices: [notice] };
  await context.announce([outcome]);
  const { holder: _, busyUntil: __, ...record } = claimed.record;
  const done = observation.runId === undefined ? record : { ...record, givenBackOn: observation.runId };
  await renewRecord(context.ports.store, claimed, done);
  return outcome;
}

/** One job restores them, and none where a lease has been taken since the state was read: then the settings are its own. */
async function claim(context: NodeContext, held: HeldRecord, { runId }: Observation): Promise<HeldRecord | undefined> {
  const { ports, holder, node } = context;
  const now = ports.clock.now();
  if (held.record.holder !== holder && now < (held.record.busyUntil ?? 0)) return undefined;
  if (await leaseNow(ports, node, runId)) return undefined;
  return await renewRecord(ports.store, held, { ...held.record, holder, busyUntil: now + BUSY });
}

/** The lease on a server as it is now, under whatever name: a quarantined lease of another process at this address does not count. */
export async function leaseNow({ store }: Ports, node: string, runId: string | undefined): Promise<Lease | undefined> {
  const isIts = ({ lease }: HeldLease) => (runId === undefined ? lease.node === node : lease.runId === runId);
  return allHeld(leasesOf(await store.list(LEASE), () => {})).find(isIts)?.lease;
}
