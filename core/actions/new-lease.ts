import type { Milliseconds } from '../config/units.ts';
import type { Blocker } from '../domain/blocker.ts';
import type { Lease } from '../domain/lease.ts';
import type { NodeHistory } from '../domain/node-history.ts';
import type { Notice } from '../domain/notice.ts';
import type { Observation } from '../domain/observation.ts';
import type { ActionOutcome, Failed } from '../domain/outcome.ts';
import type { Acting, Facts, Skip } from '../domain/plan.ts';
import { BUSY } from '../domain/timings.ts';
import { versionOf } from '../guards/stage-limits.ts';
import { isOverdue, noProgress } from '../leases/identity.ts';
import { dropLease, type HeldLease, leasesOf, renewLease, takeLease } from '../leases/lease-store.ts';
import { NodeFailure } from '../ports/node-session.ts';
import { StateUnavailable } from '../ports/state-store.ts';
import { LEASE } from '../state/keys.ts';
import { type NodeContext, partsOf } from './context.ts';
import { rssBaseline } from './verify.ts';

/** What came of an action. Memory is up to date and stored, whatever it was. */
export type Result<Done extends ActionOutcome = ActionOutcome> =
  | {
      readonly kind: 'done';
      readonly memory: NodeHistory;
      readonly outcome: Done;
      readonly settled: Observation;
      /** False: it could not be enqueued in the outbox. */
      readonly isReported?: boolean;
    }
  | Withdrawn
  | { readonly kind: 'failed'; readonly why: string; readonly leased: boolean; readonly memory: NodeHistory };

/** It turned out that this is not to be done; nothing is left changed. */
interface Withdrawn {
  readonly kind: 'withdrawn';
  readonly plan: Skip;
  readonly memory: NodeHistory;
  readonly notices?: readonly Notice[];
}

/** What an action adds to the lease of one step. */
export interface OwnTerms extends Partial<Lease> {
  /** For how long the node is left to this job, in ms. */
  readonly busyFor: Milliseconds;
  readonly promisedStall: Milliseconds;
}

/** The lease as it is written before anything is changed: of a step that is over when it returns, but for what the action adds. */
function newLease(
  context: NodeContext,
  { observation, now }: Facts,
  { predicted }: Acting,
  { busyFor, ...own }: OwnTerms,
): Lease {
  return {
    instance: context.instance.id,
    node: context.node,
    status: 'active',
    phase: 'purging',
    runId: observation.runId ?? '',
    role: observation.replication.role,
    ...(observation.address !== undefined && { address: observation.address }),
    ...(context.instance.nodes.some(({ id, tls }) => id === context.node && tls) && { tls: true }),
    engine: versionOf(observation.engine),
    holder: context.holder,
    busyUntil: now + busyFor,
    acquiredAt: now,
    expiresAt: now + BUSY,
    prior: {},
    applied: {},
    before: rssBaseline(observation),
    predicted,
    progress: noProgress(now),
    ...own,
  };
}

/**
 * The right to act on a node, from the stage and then from its instance; or why it is not to be had now. Nothing has been changed then.
 * @throws {StateUnavailable}
 */
export async function acquire(
  context: NodeContext,
  facts: Facts,
  plan: Acting,
  own: OwnTerms,
): Promise<HeldLease | Withdrawn> {
  const lease = newLease(context, facts, plan, own);
  const blockers = await context.claims.claim(lease, context.group);
  const held = blockers.length > 0 ? undefined : await takeOnlyLease(context, lease);
  if (held) return held;
  return { kind: 'withdrawn', plan: withheld(blockers, context), memory: facts.memory };
}

/**
 * A step that is over when it returns, on a node without a lease, takes one for its own length: no two nodes of an instance at once, no two
 * jobs on one.
 */
export async function underLease(
  context: NodeContext,
  facts: Facts,
  plan: Acting,
  own: OwnTerms,
  step: (lease: Lease) => Promise<Result>,
): Promise<Result> {
  const { store } = context.ports;
  const held = await acquire(context, facts, plan, own);
  if ('kind' in held) return held;
  const result = await step(held.lease);
  // One that was not answered may still block its server: no other node of the instance is touched before that one answers again. And
  // what is not in the outbox is reported by the job that finds the lease.
  const isOver = result.kind !== 'failed' && !(result.kind === 'done' && result.isReported === false);
  // What was done is reported, whether the lease could be dropped or not: a job that finds it knows that it is over.
  await (isOver ? dropLease(store, held) : renewLease(store, held, { ...held.lease, busyUntil: 0 })).catch(
    logged(context, 'lease not dropped'),
  );
  if (isOver) context.claims.release(context.node, context.holder);
  return result;
}

/**
 * The instance's lease, if no node of it has one: under its name no other can be taken, and under another name (an instance that was
 * renamed, split or merged, a job that still has the config of before) it shows here. Of two jobs that meet so, both may withdraw.
 * @throws {StateUnavailable}
 */
async function takeOnlyLease(
  { ports: { store }, instance }: NodeContext,
  lease: Lease,
): Promise<HeldLease | undefined> {
  const held = await takeLease(store, lease);
  if (!held) return undefined;
  const { leases } = leasesOf(await store.list(LEASE), () => {});
  const isPeer = (other: HeldLease) =>
    other.key !== held.key &&
    instance.nodes.some(({ id }) => id === other.lease.node) &&
    !isOverdue(other.lease, lease.acquiredAt);
  if (![...leases.values()].some(isPeer)) return held;
  await dropLease(store, held);
  return undefined;
}

/** The stage says no; or another job holds the instance's lease. */
function withheld([first, ...others]: readonly Blocker[], { instance }: NodeContext): Skip {
  const blockers = first ? [first, ...others] : ([{ kind: 'peer-acting', peer: instance.id }] as const);
  return { kind: 'skip', reason: first?.kind ?? 'peer-acting', blockers };
}

/** Troubles of the world become outcomes; anything else is a bug and goes on. */
export function expected(error: unknown): string {
  if (error instanceof NodeFailure || error instanceof StateUnavailable) return error.message;
  throw error;
}

/** Logs a trouble of the world that does not change the outcome; a bug goes on. */
export function logged({ ports, instance, node }: NodeContext, what: string): (error: unknown) => void {
  return (error) => ports.log.warn(what, { instance: instance.id, node, error: expected(error) });
}

/** What was begun and has gone wrong. */
export function failedOutcome(
  context: NodeContext,
  facts: Facts,
  plan: Acting,
  { why, leased }: { readonly why: string; readonly leased: boolean },
): Failed {
  return {
    ...partsOf(context, facts),
    kind: 'failed',
    plan,
    leased,
    problem: { kind: 'action-failed', message: why, expected: true },
    notices: [{ kind: 'action-failed', doing: plan.action.kind, why }],
  };
}
