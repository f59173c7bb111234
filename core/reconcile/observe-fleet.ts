import pLimit, { type LimitFunction } from 'p-limit';
import type { NodeAddress } from '../config/address.ts';
import type { InstanceConfig } from '../config/schema.ts';
import type { Milliseconds } from '../config/units.ts';
import type { Observation } from '../domain/observation.ts';
import type { Problem } from '../domain/outcome.ts';
import { errorText } from '../format/error-text.ts';
import { NodeFailure, type Session } from '../ports/node-session.ts';
import type { Ports } from '../ports/ports.ts';
import { StateUnavailable } from '../ports/state-store.ts';
import { lookingOrder } from './look-order.ts';

/** A node to be observed. */
export interface NodeTarget {
  readonly instance: InstanceConfig;
  readonly node: NodeAddress;
}

/** What one node answered. */
export interface ReachedNode {
  readonly instance: InstanceConfig;
  readonly node: NodeAddress;
  readonly observation: Observation;
}

/** The same, with its connection, which the caller closes. */
export interface OpenNode extends ReachedNode {
  readonly session: Session;
}

/** Why it did not. */
export interface UnreachedNode {
  readonly instance: InstanceConfig;
  readonly node: NodeAddress;
  readonly problem: Problem;
}

/** Each costs the processor some milliseconds, and has three seconds: more at once would be late by their number alone. */
const LOOKS_AT_ONCE = 64;

/** Not checked, or not to the end. */
const NOT_REACHED: Problem = { kind: 'not-reached', message: 'there was no time left to look at it', expected: true };

/**
 * The first check of each node, side by side. A node that cannot be seen is a result like any
 * other, and so is one that was not reached when `duration` was over. A connection is closed as soon as its node was seen: a fleet may have
 * more nodes than a function has file descriptors (1,024 on Lambda).
 *
 * @param leased nodes that are checked first
 */
export async function observeFleet(
  chosen: readonly NodeTarget[],
  { open, clock, sightings = new Map() }: Pick<Ports, 'open' | 'clock' | 'sightings'>,
  { leased, duration }: { readonly leased: ReadonlySet<string>; readonly duration: Milliseconds },
): Promise<readonly (ReachedNode | UnreachedNode)[]> {
  const turns = pLimit(LOOKS_AT_ONCE);
  const controller = new AbortController();
  const end = endOf(controller.signal);
  const timer = setTimeout(() => controller.abort(), duration);
  const looks = new Map<string, Promise<ReachedNode | UnreachedNode>>();
  for (const { instance, node } of lookingOrder(chosen, { leased, sightings, seed: clock.now() })) {
    looks.set(node.id, lookAt(open, instance, node, { end, turns }).then(closed));
  }
  try {
    const results = await Promise.all(looks.values());
    for (const result of results) note(sightings, result);
    const byNode = new Map(results.map((result) => [result.node.id, result]));
    return chosen.flatMap(({ node }) => byNode.get(node.id) ?? []);
  } finally {
    clearTimeout(timer);
  }
}

function closed(look: OpenNode | UnreachedNode): ReachedNode | UnreachedNode {
  if (!('session' in look)) return look;
  const { session, ...seen } = look;
  session.close();
  return seen;
}

/** The latest last. One that was not reached keeps its place, so that it comes up the sooner. */
function note(sightings: Map<string, boolean>, look: ReachedNode | UnreachedNode): void {
  if (!isReached(look)) return;
  sightings.delete(look.node.id);
  sightings.set(look.node.id, 'observation' in look);
}

export function isReached(look: ReachedNode | UnreachedNode): boolean {
  return !('problem' in look) || look.problem.kind !== NOT_REACHED.kind;
}

/** When a tick's time for first checks is over. */
interface End {
  readonly signal: AbortSignal;
  /** Rejects then. One for all nodes: thousands of listeners on one signal are searched for one another. */
  readonly over: Promise<never>;
}

function endOf(signal: AbortSignal): End {
  const { promise: over, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', reject, { once: true });
  over.catch(() => {});
  return { signal, over };
}

/** Never throws. When `end` has come, what is under way is given up, and its socket is closed. */
export async function lookAt(
  open: Ports['open'],
  instance: InstanceConfig,
  node: NodeAddress,
  { end, turns = pLimit(1) }: { readonly end?: End; readonly turns?: LimitFunction } = {},
): Promise<OpenNode | UnreachedNode> {
  const opening = open(instance, node, end?.signal);
  const unlessOver = <T>(work: Promise<T>) => (end ? Promise.race([work, end.over]) : work);
  try {
    const session = await unlessOver(opening);
    const observation = await unlessOver(turns(() => session.look()));
    return { instance, node, session, observation };
  } catch (error) {
    // One that is still being opened is closed when it is there.
    void opening.then(
      (session) => session.close(),
      () => {},
    );
    return { instance, node, problem: end?.signal.aborted ? NOT_REACHED : problemOf(error) };
  }
}

/** Troubles of the world are expected; what is not one of them is a bug, and is said to be. */
export function problemOf(error: unknown): Problem {
  if (error instanceof NodeFailure) {
    const { kind, message, watches } = error;
    return { kind, message, expected: true, ...(watches && { watches }) };
  }
  if (error instanceof StateUnavailable) return { kind: 'state-unavailable', message: error.message, expected: true };
  return { kind: 'unexpected', message: errorText(error), expected: false };
}
