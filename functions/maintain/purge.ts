import { memoryFor, type NodeMemory } from './decide/lease.ts';
import type { Observation } from './decide/observation.ts';
import type { Acting, Situation } from './decide/plan.ts';
import { footprint, learnFromPurge, verify } from './decide/verify.ts';
import { expected, newLease, peerActing, type Result } from './lease-taking.ts';
import { dropLease, remember, takeLease } from './state.ts';
import type { Visit } from './visit.ts';

/** RSS is sampled every 100 ms; a second look sooner than this sees the time before the purge. */
const SETTLE_MS = 1000;
/** What a purge gets beyond its prediction before we stop waiting for it. */
const PURGE_PATIENCE = 4;
const PURGE_PATIENCE_MS = 2000;

/**
 * MEMORY PURGE, once. That it was tried is stored before it is sent: a purge whose answer never came still runs on the server, and
 * one that is sent again blocks again.
 */
export async function purge(visit: Visit, before: Observation, plan: Acting): Promise<Result> {
  const { session, ports, instance, node } = visit;
  const note = (change: (memory: NodeMemory) => NodeMemory) =>
    remember(ports.store, instance.id, node, (memory) => change(memoryFor(before, memory)));
  const memory = await note((known) => ({ ...known, lastPurgeAt: ports.clock.now() }));
  try {
    const purged = await session.purge(PURGE_PATIENCE_MS + PURGE_PATIENCE * plan.predicted.stall);
    if (!purged.done) {
      const notices = [{ kind: 'action-failed', doing: 'purge', why: purged.error }] as const;
      return { kind: 'withdrawn', plan: { kind: 'skip', reason: 'purge-refused' }, memory, notices };
    }
    await ports.clock.sleep(SETTLE_MS);
    const settled = await session.look();
    const verdict = verify({
      cure: 'purge',
      before: footprint(before),
      after: footprint(settled),
      predicted: plan.predicted,
      stall: purged.blocked,
      promisedStall: instance.purge.maxBlock,
    });
    return { kind: 'done', memory: await note((known) => learnFromPurge(known, verdict, settled)), verdict, settled };
  } catch (error) {
    return { kind: 'failed', why: expected(error), leased: false, memory };
  }
}

/** A purge on a node without a lease takes one for its own length: no two nodes of an instance at once, no two jobs on one. */
export async function purgeUnderLease(visit: Visit, facts: Situation, plan: Acting): Promise<Result> {
  const held = await takeLease(visit.ports.store, newLease(visit, facts, plan));
  if (!held) return { kind: 'withdrawn', plan: peerActing(visit), memory: facts.memory };
  try {
    return await purge(visit, facts.observation, plan);
  } finally {
    await dropLease(visit.ports.store, held);
  }
}
