import { seenBy } from '../actions/context.ts';
import type { Notice } from '../domain/notice.ts';
import { type Failed, isOfConfig, type Observed, type Problem, type Seen, type Unreached } from '../domain/outcome.ts';
import type { HeldLease } from '../leases/lease-store.ts';
import { NodeFailure } from '../ports/node-session.ts';
import type { Announcer } from './announcer.ts';
import type { InstanceWork, Run } from './assign.ts';
import { unreachableLease } from './displaced-leases.ts';
import { recordFor } from './node-context.ts';
import { switchNotices } from './notices.ts';
import { isReached, problemOf, type ReachedNode, type UnreachedNode } from './observe-fleet.ts';
import { knownOf } from './snapshot.ts';

/** A node on which something went wrong, with what was seen of it. */
export function failedNode(
  look: ReachedNode | UnreachedNode,
  error: unknown,
  leased: boolean,
  run: Run,
): Unreached | Failed {
  const name = { instance: look.instance.id, node: look.node.id };
  const problem = problemOf(error);
  if (!problem.expected) run.ports.log.error('unexpected failure', { ...name, error });
  const kind = error instanceof NodeFailure ? unreachedKind(problem) : 'failed';
  const before = 'observation' in look ? seenAfterAll(look, run) : undefined;
  return { ...name, kind, problem, leased, notices: [], ...(before && { before }) };
}

/** A server that did not answer as one, or Offpeak's own config. */
function unreachedKind({ kind }: Problem): Unreached['kind'] {
  return isOfConfig(kind) ? kind : 'unreachable';
}

/** What cannot be diagnosed has been the failure itself: never a second one. */
function seenAfterAll(look: ReachedNode, run: Run): Seen | undefined {
  try {
    return seenIn(look, run);
  } catch {
    return undefined;
  }
}

export async function unreachedOutcome(
  look: UnreachedNode,
  held: HeldLease | undefined,
  { ports, options, snapshot }: Run,
  announce: Announcer['announce'],
): Promise<Unreached | Failed> {
  const { instance, node, problem } = look;
  const unseen = { instance: instance.id, node: node.id, problem, leased: held !== undefined, notices: [] };
  if (!isReached(look)) return { ...unseen, kind: 'not-reached' };
  const outcome = { ...unseen, kind: problem.expected ? unreachedKind(problem) : 'failed' } as const;
  if (!held || options.mode !== 'act' || snapshot.kind === 'unavailable') return outcome;
  return await unreachableLease({ ports, announce }, held, outcome);
}

/** Its parameter group is under a lease: it is defragmented with all others of the group, and nothing else is done to it. */
export function switchedOutcome(look: ReachedNode, { expiresAt }: { readonly expiresAt: number }, run: Run): Observed {
  return {
    instance: look.instance.id,
    node: look.node.id,
    kind: 'observed',
    before: seenIn(look, run),
    ...(run.options.mode !== 'watch' && { plan: { kind: 'skip', reason: 'defragmenting', until: expiresAt } as const }),
    leased: true,
    notices: [],
  };
}

export function watchedOutcome(look: ReachedNode, work: InstanceWork, run: Run): Observed {
  const { instance, node } = look;
  const held = work.leases.get(node.id);
  return {
    instance: instance.id,
    node: node.id,
    kind: 'observed',
    before: seenIn(look, run),
    leased: held !== undefined && held.lease.phase !== 'purging',
    notices: run.options.mode === 'watch' ? watchNotices(look, work, run) : [],
  };
}

/** What a plan would say: without one, `offpeak check` has to. Without the state, a defrag may be Offpeak's. */
function watchNotices({ node, observation }: ReachedNode, work: InstanceWork, { snapshot }: Run): readonly Notice[] {
  const double = work.duplicates.get(node.id);
  if (double !== undefined) return [{ kind: 'same-server', as: double }];
  if (snapshot.kind === 'unavailable' || work.leases.has(node.id)) return [];
  const record = recordFor(node.id, observation.runId, snapshot);
  return switchNotices(record ? { record } : {}, observation);
}

function seenIn(look: ReachedNode, { snapshot }: Run): Seen {
  return seenBy(look, look.observation, knownOf(snapshot, look.node.id, look.observation));
}
