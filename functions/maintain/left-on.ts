import { memoryFor, type NodeMemory } from './decide/lease.ts';
import type { Observation } from './decide/observation.ts';
import type { Notice, Outcome } from './decide/outcome.ts';
import { ownHand } from './decide/own-hand.ts';
import { giveBack } from './defrag.ts';
import { LEASE, leasesOf } from './leases.ts';
import type { Ports } from './ports.ts';
import { type HeldRecord, renewRecord } from './records.ts';
import { entrustOutcomes, outcomeOf, situation, type Visit } from './visit.ts';

/** Longer than two round trips and a write may take. */
const BUSY_MS = 15_000;

/**
 * Settings of an earlier lease stand on a server without one, and its record says what was before: given back, in or out of a window,
 * once for each run of the server. Undefined: there is nothing of the kind, or nobody can say what was before.
 */
export async function giveBackLeftOn(
  visit: Visit,
  observation: Observation,
  memory: NodeMemory,
): Promise<Outcome | undefined> {
  const { record: held } = visit;
  const hand = ownHand(observation, held?.record);
  if (!held || hand?.by !== 'record') return undefined;
  const facts = situation(visit, observation, { memory: memoryFor(observation, memory) });
  const later = outcomeOf(visit, facts, { kind: 'skip', reason: 'left-on' });
  if (visit.dryRun) return later;
  const claimed = await claim(visit, held, observation);
  if (!claimed) return later;
  const { settled, restored, missing } = await giveBack(visit, held.record, observation);
  if (missing.length > 0) {
    const why = `the server did not take back ${missing.join(', ')}; the next tick tries again`;
    return { ...later, status: 'failed', problem: { kind: 'action-failed', message: why, expected: true } };
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
  if (await isLeasedNow(ports, node, runId)) return undefined;
  return await renewRecord(ports.store, held, { ...held.record, holder, busyUntil: now + BUSY_MS });
}

async function isLeasedNow({ store }: Ports, node: string, runId: string | undefined): Promise<boolean> {
  const { leases, aside } = leasesOf(await store.list(LEASE), () => {});
  return [...leases.values(), ...aside].some(({ lease }) => lease.node === node || lease.runId === runId);
}
