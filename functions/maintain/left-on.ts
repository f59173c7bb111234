import { historyFor, type Lease, type NodeHistory } from './decide/lease.ts';
import type { Observation } from './decide/observation.ts';
import type { Notice, Outcome } from './decide/outcome.ts';
import { ownHand } from './decide/own-hand.ts';
import { giveBack } from './defrag.ts';
import { type HeldLease, LEASE, leasesOf } from './leases.ts';
import type { Ports } from './ports.ts';
import { type HeldRecord, renewRecord } from './records.ts';
import { entrustOutcomes, outcomeOf, situation, type Visit } from './visit.ts';

/** Longer than two round trips and a write may take. */
const BUSY_MS = 15_000;

/**
 * Settings of an earlier lease stand on a server without one, and its record says what was before: given back, in or out of a window,
 * once for each run of the server. Undefined: there is nothing of the kind, or only a person can say what was before. `refused`: the
 * server does not take it back.
 */
export async function giveBackLeftOn(
  visit: Visit,
  observation: Observation,
  memory: NodeHistory,
): Promise<Outcome | 'refused' | undefined> {
  const { record: held } = visit;
  const hand = ownHand(observation, held?.record);
  if (!held || hand?.by !== 'record') return undefined;
  const facts = situation(visit, observation, { memory: historyFor(observation, memory) });
  const later = outcomeOf(visit, facts, { kind: 'skip', reason: 'left-on' });
  if (visit.dryRun) return later;
  const claimed = await claim(visit, held, observation);
  if (!claimed) return later;
  const { settled, restored, missing } = await giveBack(visit, held.record, observation);
  if (missing.length > 0) {
    visit.ports.log.error('settings not given back', { instance: visit.instance.id, node: visit.node, missing });
    return 'refused';
  }
  const notice: Notice = { kind: 'left-on', standing: hand.standing, restored };
  const outcome: Outcome = { ...later, observation: settled, settings: restored, notices: [notice] };
  await entrustOutcomes(visit, [outcome]);
  const { holder: _, busyUntil: __, ...record } = claimed.record;
  const done = observation.runId === undefined ? record : { ...record, givenBackOn: observation.runId };
  await renewRecord(visit.ports.store, claimed, done);
  return outcome;
}

/** One job gives back, and none where a lease has been taken since the state was read: then the settings are its own. */
async function claim(visit: Visit, held: HeldRecord, { runId }: Observation): Promise<HeldRecord | undefined> {
  const { ports, holder, node } = visit;
  const now = ports.clock.now();
  if (held.record.holder !== holder && now < (held.record.busyUntil ?? 0)) return undefined;
  if (await leaseNow(ports, node, runId)) return undefined;
  return await renewRecord(ports.store, held, { ...held.record, holder, busyUntil: now + BUSY_MS });
}

/** The lease on a server as it is now, under whatever name: a quarantined lease of another process at this address does not count. */
export async function leaseNow({ store }: Ports, node: string, runId: string | undefined): Promise<Lease | undefined> {
  const { leases, quarantined } = leasesOf(await store.list(LEASE), () => {});
  const isIts = ({ lease }: HeldLease) => (runId === undefined ? lease.node === node : lease.runId === runId);
  return [...leases.values(), ...quarantined].find(isIts)?.lease;
}
