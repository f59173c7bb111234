import { isDeepStrictEqual } from 'node:util';
import { enqueue } from '../alerts/outbox.ts';
import { nodesOf } from '../config/fleet.ts';
import type { Config } from '../config/schema.ts';
import { TROUBLE_NAMES } from '../config/trouble.ts';
import type { Alert } from '../domain/alert.ts';
import { latestIn, type Outcome } from '../domain/outcome.ts';
import { abandonedTrouble, troubleAlert } from '../reporting/alerts/trouble.ts';
import { advance, type TroubleStates, troubleFound } from '../reporting/trouble.ts';
import { historyKey } from '../state/keys.ts';
import { readNamedNodes, writeNamedNodes } from '../state/named-nodes.ts';
import { updateHistory } from '../state/node-history.ts';
import type { InstanceWork, Run } from './assign.ts';
import { problemOf } from './observe-fleet.ts';
import { historiesIn } from './snapshot.ts';

/**
 * What this tick's checks say of the troubles of an instance's nodes. The alert is in the outbox before the history says that it was reported: a
 * job that dies in between leaves it to the next one, under the same id. Returns the alerts that the outbox has not taken; these are reported
 * again with the next check. A node without trouble costs no write.
 */
export async function followTroubles(
  { instance, duplicates }: InstanceWork,
  outcomes: readonly Outcome[],
  run: Run,
): Promise<readonly Alert[]> {
  const { snapshot, ports, stage, schedule, watchesNodes } = run;
  if (!isKept(run) || snapshot.kind === 'unavailable') return [];
  const unkept: Alert[] = [];
  // One after the other: the writes of many instances are under way at once.
  for (const outcome of outcomes.filter(({ node }) => !duplicates.has(node))) {
    // What is left is found again at the next tick.
    if (run.options.remaining() <= 0) break;
    const { node } = outcome;
    const before = snapshot.historyOf(node).troubles ?? {};
    const at = latestIn(outcome)?.observation.at ?? ports.clock.now();
    // Where CloudWatch's alarms watch each node, what a larger fleet has left is dropped.
    const { after, events } = watchesNodes
      ? advance(before, troubleFound(outcome, instance), { now: at, schedule, policy: instance })
      : { after: {}, events: [] };
    const alerts = events.map((event) => troubleAlert(outcome, instance, event, { stage, at }));
    unkept.push(...(await report(node, { before, after, alerts }, run)));
  }
  return unkept;
}

/** While a defrag is followed, there is a tick every few seconds; and what is not kept now is kept by the next tick. */
function isKept({ options }: Pick<Run, 'options'>): boolean {
  const isOfInstances = options.scope.kind === 'fleet' || options.scope.kind === 'instances';
  return options.mode === 'act' && isOfInstances && options.remaining() > 0;
}

interface Change {
  readonly before: TroubleStates;
  readonly after: TroubleStates;
  readonly alerts: readonly Alert[];
}

async function report(
  node: string,
  { before, after, alerts }: Change,
  { ports, options }: Pick<Run, 'ports' | 'options'>,
): Promise<readonly Alert[]> {
  if (isDeepStrictEqual(before, after)) return [];
  // The id of an alert names the beginning: it is stored first, so that a job that finishes this one's work sends the same alert.
  const begun = Object.entries(after).flatMap(([name, { since, reportedFor }]) =>
    reportedFor !== undefined && before[name] === undefined ? [[name, { since }] as const] : [],
  );
  if (begun.length > 0 && !(await store(node, { ...before, ...Object.fromEntries(begun) }, ports))) return [];
  const unkept = await enqueue(ports, options.holder, alerts);
  if (unkept.length === 0) await store(node, after, ports);
  return unkept;
}

/** Whether it could be stored. */
async function store(node: string, troubles: TroubleStates, ports: Run['ports']): Promise<boolean> {
  try {
    await updateHistory(ports.store, node, ({ troubles: _, ...history }) =>
      Object.keys(troubles).length === 0 ? history : { ...history, troubles },
    );
    return true;
  } catch (error) {
    const { message, expected } = problemOf(error);
    ports.log[expected ? 'warn' : 'error']('troubles of a node not stored', { node, error: message });
    return false;
  }
}

/**
 * Ends what was reported of nodes that the config no longer names, because no check will. What the outbox does not take stays for the
 * next tick.
 *
 * @param isComplete false where a discovery has failed: a node that could not be found now may still be there
 */
export async function dropAbandoned(
  config: Pick<Config, 'instances'>,
  run: Omit<Run, 'claims'>,
  isComplete: boolean,
): Promise<void> {
  const { snapshot, stage, ports, watchesNodes, options } = run;
  if (!isComplete || !isKept(run) || options.scope.kind !== 'fleet' || snapshot.kind === 'unavailable') return;
  const before = await readNamedNodes(ports.store);
  const named = nodesOf(config).toSorted();
  const isNamedNow = new Set(named);
  const gone = before.nodes.filter((node) => !isNamedNow.has(node));
  const documents = gone.length === 0 ? new Map() : await ports.store.readAll(gone.map(historyKey));
  const left: string[] = [];
  const at = ports.clock.now();
  for (const { node, history } of historiesIn(documents, () => {})) {
    const { troubles } = history;
    if (troubles === undefined) continue;
    const alerts = TROUBLE_NAMES.flatMap((name) => {
      const { since, reportedFor } = troubles[name] ?? { since: at };
      if (reportedFor === undefined) return [];
      return [abandonedTrouble({ instance: reportedFor, node }, { name, since }, { stage, at })];
    });
    if ((await report(node, { before: troubles, after: {}, alerts }, run)).length > 0) left.push(node);
  }
  const after = [...named, ...left];
  // Where CloudWatch's alarms watch each node, no trouble is reported that would have to be ended.
  if (!watchesNodes && before.version === undefined) return;
  if (!isDeepStrictEqual(after, before.nodes)) await writeNamedNodes(ports.store, before, after);
}
