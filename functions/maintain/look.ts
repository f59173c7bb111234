import pLimit, { type LimitFunction } from 'p-limit';
import type { NodeAddress } from '../shared/config/address.ts';
import type { Config, InstanceConfig } from '../shared/config/schema.ts';
import type { Milliseconds } from '../shared/config/units.ts';
import { NodeFailure } from '../shared/redis/failure.ts';
import { StateUnavailable } from '../shared/state/store.ts';
import { lookingOrder } from './decide/looking.ts';
import type { Observation } from './decide/observation.ts';
import type { Problem } from './decide/outcome.ts';
import type { Ports, Session } from './ports.ts';

/** What one node answered. The session stays open for what may have to be done. */
export interface Seen {
  readonly instance: InstanceConfig;
  readonly node: NodeAddress;
  readonly session: Session;
  readonly observation: Observation;
}

/** Why it did not. */
export interface Unseen {
  readonly instance: InstanceConfig;
  readonly node: NodeAddress;
  readonly problem: Problem;
}

/** Each costs the processor some milliseconds, and has three seconds: more at once would be late by their number alone. */
const LOOKS_AT_ONCE = 64;

/** Not looked at, or not to the end. */
const NOT_REACHED: Problem = { kind: 'not-reached', message: 'there was no time left to look at it', expected: true };

/**
 * The first look at every chosen node, side by side, in the order of the config. A node that cannot be seen is a result like any
 * other, and so is one that was not reached when `duration` was over.
 *
 * @param leased nodes that are looked at first
 */
export async function lookAtAll(
  config: Config,
  { open, clock, sightings = new Map() }: Pick<Ports, 'open' | 'clock' | 'sightings'>,
  isChosen: (node: string) => boolean,
  { leased, duration }: { readonly leased: ReadonlySet<string>; readonly duration: Milliseconds },
): Promise<readonly (Seen | Unseen)[]> {
  const nodes = config.instances.flatMap((instance) => instance.nodes.map((node) => ({ instance, node })));
  const chosen = nodes.filter(({ node }) => isChosen(node.id));
  const turns = pLimit(LOOKS_AT_ONCE);
  const end = new AbortController();
  const timer = setTimeout(() => end.abort(), duration);
  const looks = new Map<string, Promise<Seen | Unseen>>();
  for (const { instance, node } of lookingOrder(chosen, { leased, sightings, seed: clock.now() })) {
    looks.set(node.id, lookAt(open, instance, node, { signal: end.signal, turns }));
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

/** The latest last. One that was not reached keeps its place, so that it comes up the sooner. */
function note(sightings: Map<string, boolean>, look: Seen | Unseen): void {
  if (!isReached(look)) return;
  sightings.delete(look.node.id);
  sightings.set(look.node.id, 'observation' in look);
}

export function isReached(look: Seen | Unseen): boolean {
  return !('problem' in look) || look.problem.kind !== NOT_REACHED.kind;
}

/** Never throws. When `signal` is aborted, what is under way is given up, and its socket is closed. */
export async function lookAt(
  open: Ports['open'],
  instance: InstanceConfig,
  node: NodeAddress,
  { signal, turns = pLimit(1) }: { readonly signal?: AbortSignal; readonly turns?: LimitFunction } = {},
): Promise<Seen | Unseen> {
  const opening = open(instance, node, signal);
  try {
    const session = await unlessAborted(opening, signal);
    const observation = await unlessAborted(
      turns(() => session.look()),
      signal,
    );
    return { instance, node, session, observation };
  } catch (error) {
    // One that is still being opened is closed when it is there.
    void opening.then(
      (session) => session.close(),
      () => {},
    );
    return { instance, node, problem: signal?.aborted ? NOT_REACHED : problemOf(error) };
  }
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return await work;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', reject, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', reject);
  }
}

/** The process that answers at each address: its `run_id`, where it says one. */
export function runsOf(looks: readonly (Seen | Unseen)[]): ReadonlyMap<string, string> {
  return new Map(
    looks.flatMap((look) =>
      'observation' in look && look.observation.runId !== undefined ? [[look.node.id, look.observation.runId]] : [],
    ),
  );
}

/**
 * Nodes that are a server which the config names under another address, too, with that address: the one that a lease is on, else the one
 * that the config names first. A `run_id` is one process.
 */
export function doublesOf(
  looks: readonly (Seen | Unseen)[],
  homes: ReadonlyMap<string, unknown>,
): ReadonlyMap<string, string> {
  const byRun = Map.groupBy(runsOf(looks), ([, runId]) => runId);
  return new Map(
    [...byRun.values()].flatMap((nodes) => {
      const names = nodes.map(([node]) => node);
      const main = names.find((node) => homes.has(node)) ?? names[0];
      return names.flatMap((node) => (node === main || main === undefined ? [] : [[node, main] as const]));
    }),
  );
}

/** Troubles of the world are expected; what is not one of them is a bug, and is said to be. */
export function problemOf(error: unknown): Problem {
  if (error instanceof NodeFailure) return { kind: error.kind, message: error.message, expected: true };
  if (error instanceof StateUnavailable) return { kind: 'state-unavailable', message: error.message, expected: true };
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { kind: 'unexpected', message, expected: false };
}
