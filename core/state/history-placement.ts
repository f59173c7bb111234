import { HOUR, type Milliseconds } from '../config/units.ts';
import { type ActionHistory, EMPTY_HISTORY, joinedResults, type NodeHistory } from '../domain/node-history.ts';
import type { Observation } from '../domain/observation.ts';
import type { Learned } from '../domain/prediction.ts';
import { present } from '../domain/present.ts';

/** What is stored of an address. */
interface PlacedHistory {
  readonly node: string;
  readonly history: NodeHistory;
  /** Version 0.1 kept one document for each instance with this address. They count until the address has a document of its own. */
  readonly isLegacy?: boolean;
}

/**
 * What is known of each address. A history belongs to its server: while the process lives, its history follows its `run_id` to the
 * address at which it answers. Otherwise the history stays, since a restarted server is found by its address.
 *
 * @param runs the `run_id` that answers at each address now
 */
export function historiesByNode(
  stored: readonly PlacedHistory[],
  runs: ReadonlyMap<string, string>,
): ReadonlyMap<string, NodeHistory> {
  const own = stored.filter(({ isLegacy }) => !isLegacy);
  const legacy = stored.filter(({ node, isLegacy }) => isLegacy && !own.some((one) => one.node === node));
  const places = new Map<string, NodeHistory>();
  for (const { node, history } of [...own, ...legacy]) {
    const other = places.get(node);
    places.set(node, other ? joined(other, history) : history);
  }
  const alive = new Set(runs.values());
  const moved = [...runs].flatMap(([node, runId]): [string, NodeHistory][] => {
    const here = places.get(node);
    const [first, ...more] = [...places.values()].filter((history) => history.runId === runId);
    // What the address remembers of a server that answers nowhere still counts there: a node that has died stays a warning.
    const isElsewhere = here?.runId !== undefined && alive.has(here.runId);
    if (!first) return isElsewhere ? [[node, EMPTY_HISTORY]] : [];
    const known = more.reduce(joined, first);
    // Events were reported of this address.
    if (here?.runId === runId) return more.length === 0 ? [] : [[node, { ...known, notified: here.notified ?? [] }]];
    return [[node, here === undefined || isElsewhere ? known : { ...joined(here, known), runId }]];
  });
  return new Map([...places, ...moved.map(([node, history]) => [node, ofAddress(history, places.get(node))] as const)]);
}

/** Its troubles were reported of this address, and the next check of it says whether they are over. */
function ofAddress({ troubles: _, ...history }: NodeHistory, here: NodeHistory | undefined): NodeHistory {
  return { ...history, ...present({ troubles: here?.troubles }) };
}

/** Of two histories, the facts of the later one; where they limit actions, the stricter value. */
function joined(a: NodeHistory, b: NodeHistory): NodeHistory {
  const [older, newer] = lastEventAt(a) <= lastEventAt(b) ? [a, b] : [b, a];
  return {
    ...older,
    ...newer,
    ...latestCrash(a, b),
    byAction: Object.fromEntries(
      [...new Set([...Object.keys(a.byAction), ...Object.keys(b.byAction)])].map((action) => [
        action,
        stricter(a.byAction[action], b.byAction[action]),
      ]),
    ),
  };
}

const NOTHING: ActionHistory = { ineffective: 0 };
const TIMES = ['lastAt', 'knownAt', 'refusedAt', 'restUntil'] as const;

/** The later of each time, and the longer series. */
function stricter(a: ActionHistory = NOTHING, b: ActionHistory = NOTHING): ActionHistory {
  const times = TIMES.flatMap((name) => {
    const known = [a[name], b[name]].filter((at) => at !== undefined);
    return known.length > 0 ? [[name, Math.max(...known)] as const] : [];
  });
  return {
    ...a,
    ...b,
    ...Object.fromEntries(times),
    ...joinedResults(a, b),
    ineffective: Math.max(a.ineffective, b.ineffective),
  };
}

function latestCrash(a: NodeHistory, b: NodeHistory): Pick<NodeHistory, 'crashed'> {
  const [crashed] = [a.crashed, b.crashed].filter((crash) => crash !== undefined).toSorted((x, y) => y.at - x.at);
  return crashed ? { crashed } : {};
}

function lastEventAt({ byAction, learned, crashed }: NodeHistory): number {
  const times = Object.values(byAction).flatMap(({ lastAt = 0, restUntil = 0 }) => [lastAt, restUntil]);
  return Math.max(0, ...times, learned.at ?? 0, crashed?.at ?? 0);
}

/**
 * The part of a node's history that holds for the server that answers now. What was learned about a process ends with it. What was
 * learned about the node stays, until it is old or the version changes.
 */
export function historyFor(
  { runId, at, engine }: Pick<Observation, 'runId' | 'at' | 'engine'>,
  history: NodeHistory,
): NodeHistory {
  const learned = stillValid(history.learned, { at, version: engine.version });
  if (history.runId === runId) return { ...history, learned };
  const { runId: _, defragSupport: __, purgeSupport: ___, notified: ____, ...lasting } = history;
  return { ...lasting, learned, ...(runId !== undefined && { runId }) };
}

/** Data and traffic change: older figures predict nothing. */
const LEARNED_FOR: Milliseconds = 30 * 24 * HOUR;

/** What still counts of what was learned. */
export function stillValid(
  learned: Learned,
  { at, version }: { readonly at: number; readonly version: string },
): Learned {
  const isOld = learned.at !== undefined && at - learned.at > LEARNED_FOR;
  return isOld || (learned.version !== undefined && learned.version !== version) ? {} : learned;
}
