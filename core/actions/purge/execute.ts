import { isUnknownCommand } from '../../adapters/redis/defrag-probe.ts';
import type { Milliseconds } from '../../config/units.ts';
import { purgePatience } from '../../diagnosis/predict.ts';
import type { Lease } from '../../domain/lease.ts';
import { type NodeHistory, withAction, withResult } from '../../domain/node-history.ts';
import type { Observation } from '../../domain/observation.ts';
import type { Outcome, Purged } from '../../domain/outcome.ts';
import type { Acting, Facts } from '../../domain/plan.ts';
import { AFTER_PURGE, BUSY } from '../../domain/timings.ts';
import type { Verdict } from '../../domain/verdict.ts';
import { historyFor } from '../../state/history-placement.ts';
import { updateHistory } from '../../state/node-history.ts';
import { type NodeContext, partsOf, seenBy } from '../context.ts';
import { expected, failedOutcome, logged, type Result, underLease } from '../new-lease.ts';
import { rssAfter, rssBaseline, verify } from '../verify.ts';
import { learnFromPurge } from './learn.ts';

/**
 * MEMORY PURGE, once. That it was tried is stored before it is sent: a purge whose answer never came still runs on the server, and
 * one that is sent again blocks again. With `report`, what came of it is reported and then known; without, the caller reports it.
 */
export async function purge(
  context: NodeContext,
  facts: Facts,
  plan: Acting,
  lease: Pick<Lease, 'busyUntil'>,
  report?: (outcome: Outcome) => Promise<boolean>,
): Promise<Result<Purged>> {
  const { session, ports, node } = context;
  const before = facts.observation;
  const note = (change: (memory: NodeHistory) => NodeHistory) =>
    updateHistory(ports.store, node, (memory) => change(historyFor(before, memory)));
  const memory = await note((known) => withAction(known, 'purge', { lastAt: ports.clock.now() }));
  const known = (isReported: boolean, change: (memory: NodeHistory) => NodeHistory) =>
    note((stored) => withAction(change(stored), 'purge', isReported ? { knownAt: ports.clock.now() } : {})).catch(
      (error: unknown) => {
        logged(context, 'not remembered')(error);
        return memory;
      },
    );
  // This job was suspended in between. Another job may have taken the lease for a dead job's, and be at work.
  if (ports.clock.now() >= lease.busyUntil)
    return { kind: 'withdrawn', plan: { kind: 'skip', reason: 'changed' }, memory };
  try {
    const purged = await session.purge(purgePatience(plan.predicted.stall));
    if (!purged.done) {
      const at = ports.clock.now();
      // A server without the command would refuse it each night, with a message each time.
      const absent = isUnknownCommand(purged.error) ? ({ purgeSupport: 'absent' } as const) : {};
      return refused(
        await note((stored) => ({ ...withAction(stored, 'purge', { refusedAt: at }), ...absent })).catch(() => memory),
        purged.error,
      );
    }
    await ports.clock.sleep(AFTER_PURGE);
    const settled = await session.look();
    const part = plan.reason === 'after-defrag' ? ({ partOf: 'defrag' } as const) : {};
    const verdict = verdictOf(context, plan, { before, after: settled, stall: purged.blocked });
    const after = seenBy(context, settled, facts.memory);
    const outcome: Purged = { ...partsOf(context, facts), kind: 'purged', after, plan, verdict };
    const isReported = (await report?.(outcome)) === true;
    const learned = await known(isReported, (stored) =>
      withResult(learnFromPurge(stored, verdict, settled), verdict, ports.clock.now(), part),
    );
    return { kind: 'done', memory: learned, outcome, settled, ...(report && { isReported }) };
  } catch (error) {
    const why = expected(error);
    const isReported = (await report?.(failedOutcome(context, facts, plan, { why, leased: false }))) === true;
    return { kind: 'failed', why, leased: false, memory: await known(isReported, (stored) => stored) };
  }
}

function verdictOf(
  { instance }: NodeContext,
  { predicted }: Acting,
  { before, after, stall }: { readonly before: Observation; readonly after: Observation; readonly stall: Milliseconds },
): Verdict {
  const baseline = rssBaseline(before);
  const promised = { predicted, stall, promisedStall: instance.purge.maxBlock };
  return verify({ action: 'purge', before: baseline, after: rssAfter(after, baseline), ...promised });
}

function refused(memory: NodeHistory, why: string): Result<never> {
  const notices = [{ kind: 'action-failed', doing: 'purge', why }] as const;
  return { kind: 'withdrawn', plan: { kind: 'skip', reason: 'purge-refused' }, memory, notices };
}

/** It may keep the job waiting for a multiple of its prediction. */
const PATIENCE = 5;

/** A purge on a node without a lease. */
export async function purgeUnderLease(context: NodeContext, facts: Facts, plan: Acting): Promise<Result> {
  const own = { busyFor: BUSY + plan.predicted.stall * PATIENCE, promisedStall: context.instance.purge.maxBlock };
  return await underLease(context, facts, plan, own, (lease) =>
    purge(context, facts, plan, lease, (outcome) => context.announce([outcome])),
  );
}
