import { purgePatience } from '../../diagnosis/predict.ts';
import type { Lease } from '../../domain/lease.ts';
import type { NodeMemory } from '../../domain/node-history.ts';
import type { Outcome, Purged } from '../../domain/outcome.ts';
import type { Acting, Facts } from '../../domain/plan.ts';
import { dropLease, renewLease } from '../../leases/lease-store.ts';
import { memoryFor } from '../../state/history-placement.ts';
import { remember } from '../../state/node-history.ts';
import { type NodeContext, partsOf, seenBy } from '../context.ts';
import { acquire, expected, failedOutcome, type Result } from '../new-lease.ts';
import { rssBaseline, verify } from '../verify.ts';
import { learnFromPurge } from './learn.ts';

/** RSS is sampled every 100 ms; a second look sooner than this sees the time before the purge. */
const SETTLE_MS = 1000;

/**
 * MEMORY PURGE, once. That it was tried is stored before it is sent: a purge whose answer never came still runs on the server, and
 * one that is sent again blocks again. With `tell`, what came of it is told and then known; without, the caller tells it.
 */
export async function purge(
  context: NodeContext,
  facts: Facts,
  plan: Acting,
  lease: Pick<Lease, 'busyUntil'>,
  tell?: (outcome: Outcome) => Promise<boolean>,
): Promise<Result<Purged>> {
  const { session, ports, instance, node } = context;
  const before = facts.observation;
  const note = (change: (memory: NodeMemory) => NodeMemory) =>
    remember(ports.store, node, (memory) => change(memoryFor(before, memory)));
  const memory = await note((known) => ({ ...known, lastPurgeAt: ports.clock.now() }));
  const known = (isTold: boolean, change: (memory: NodeMemory) => NodeMemory) =>
    note((stored) => ({ ...change(stored), ...(isTold && { purgeKnownAt: ports.clock.now() }) })).catch(
      (error: unknown) => {
        ports.log.warn('not remembered', { instance: instance.id, node, error: expected(error) });
        return memory;
      },
    );
  // Suspended in between: somebody may have taken the lease for a dead job's, and be at work.
  if (ports.clock.now() >= lease.busyUntil)
    return { kind: 'withdrawn', plan: { kind: 'skip', reason: 'changed' }, memory };
  try {
    const purged = await session.purge(purgePatience(plan.predicted.stall));
    if (!purged.done) {
      const notices = [{ kind: 'action-failed', doing: 'purge', why: purged.error }] as const;
      const refused = await note((stored) => ({ ...stored, purgeRefusedAt: ports.clock.now() })).catch(() => memory);
      return { kind: 'withdrawn', plan: { kind: 'skip', reason: 'purge-refused' }, memory: refused, notices };
    }
    await ports.clock.sleep(SETTLE_MS);
    const settled = await session.look();
    const verdict = verify({
      cure: 'purge',
      before: rssBaseline(before),
      after: rssBaseline(settled),
      predicted: plan.predicted,
      stall: purged.blocked,
      promisedStall: instance.purge.maxBlock,
    });
    const after = seenBy(context, settled, facts.memory);
    const outcome: Purged = { ...partsOf(context, facts), kind: 'purged', after, plan, verdict };
    const isTold = (await tell?.(outcome)) === true;
    const learned = await known(isTold, (stored) => learnFromPurge(stored, verdict, settled));
    return { kind: 'done', memory: learned, outcome, settled, ...(tell && { isTold }) };
  } catch (error) {
    const why = expected(error);
    const isTold = (await tell?.(failedOutcome(context, facts, plan, { why, leased: false }))) === true;
    return { kind: 'failed', why, leased: false, memory: await known(isTold, (stored) => stored) };
  }
}

/** A purge on a node without a lease takes one for its own length: no two nodes of an instance at once, no two jobs on one. */
export async function purgeUnderLease(context: NodeContext, facts: Facts, plan: Acting): Promise<Result> {
  const { store, log } = context.ports;
  const held = await acquire(context, facts, plan);
  if ('kind' in held) return held;
  const result = await purge(context, facts, plan, held.lease, (outcome) => context.announce([outcome]));
  // One that was not answered may still block its server: no other node of the instance is touched before that one answers again. And
  // what is not in the outbox is told by whoever finds the lease.
  const isOver = result.kind !== 'failed' && !(result.kind === 'done' && result.isTold === false);
  // What was done is told, whether the lease could be dropped or not: whoever finds it knows that it is over.
  await (isOver ? dropLease(store, held) : renewLease(store, held, { ...held.lease, busyUntil: 0 })).catch(
    (error: unknown) =>
      log.warn('lease not dropped', { instance: context.instance.id, node: context.node, error: expected(error) }),
  );
  if (isOver) context.claims.release(context.node, context.holder);
  return result;
}
