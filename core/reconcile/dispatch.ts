import { isFleet, isNamed, nodesIn } from '../config/fleet.ts';
import type { Config } from '../config/schema.ts';
import { discoverFleet } from '../discovery/discover-fleet.ts';
import { allHeld, type Leases } from '../leases/lease-store.ts';
import type { BatchQueue } from '../ports/batch-queue.ts';
import type { Ports } from '../ports/ports.ts';
import { batchesOf } from './batch.ts';
import { heldGroups, switchGroups } from './groups.ts';
import { housekeeping } from './housekeeping.ts';
import { placeLeases, withLeases } from './lease-placement.ts';
import { publishTick } from './publish.ts';
import { type Tick, type TickOptions, WHOLE_FLEET } from './scope.ts';
import { takeSnapshot } from './snapshot.ts';

export interface Dispatch {
  /** What concerns the stage as a whole. */
  readonly tick: Tick;
  readonly instances: number;
  readonly nodes: number;
  /** Messages that the queue has taken. */
  readonly batches: number;
}

/**
 * One tick of a fleet that several workers check: finds the nodes, hands them out in batches, and does what concerns the stage as a whole. It
 * connects to no node but those of discoveries. What the workers of the last tick had to say is sent now, in few messages.
 */
export async function dispatch(
  written: Config,
  ports: Ports,
  queue: BatchQueue,
  { holder, remaining }: Pick<TickOptions, 'holder' | 'remaining'>,
): Promise<Dispatch> {
  const at = ports.clock.now();
  const fleet = await discoverFleet(written, ports);
  const early = await takeSnapshot(ports, []);
  const leases = early.kind === 'readable' ? early : early.lastKnown;
  const config = leasedFirst(withLeases(fleet.config, leases, written), leases);
  const batches = batchesOf(config, fleet.found, at);
  const { sent, rejected } = await queue.send(
    batches.map((batch) => ({ what: `batch ${batch.number}`, body: JSON.stringify(batch) })),
  );
  if (rejected.length > 0) ports.log.error('batches not handed out', { sent, rejected });
  const [first] = rejected;
  const lost = first ? [`${rejected.length} of ${batches.length} batches were not handed out: ${first.why}`] : [];
  const nodes = nodesIn(config.instances);
  const part = { kind: 'dispatch', nodes } as const;
  const options: TickOptions = { mode: 'act', scope: WHOLE_FLEET, part, holder, remaining };
  const { stage, schedule } = config;
  // Of nodes that no instance has: whether their leases were reported.
  const lostNodes = allHeld(leases).flatMap(({ lease: { node } }) => (isNamed(node, config) ? [] : [node]));
  const snapshot = lostNodes.length === 0 ? early : await takeSnapshot(ports, lostNodes);
  const run = {
    ports,
    stage,
    options,
    snapshot,
    schedule,
    // It acts on no node.
    groups: new Map(),
    switched: new Map(),
    watchesNodes: isFleet(written) && config.metrics.send === 'classic',
  };
  const chores = housekeeping(ports, options);
  const isComplete = fleet.failures.size === 0;
  const placements = placeLeases(leases, []);
  const orphans = await chores.tidy(config, run, { at, placements, observed: [], isComplete });
  // A lease on a group whose nodes no batch has any more: restoring needs no node.
  const switched = await heldGroups(ports, snapshot);
  const groups = await switchGroups(switched, { config, run, work: [] });
  const troubles = [...lost, ...chores.troubles];
  const tick = await publishTick(config, run, { at, reports: [], orphans, groups, fleet, troubles });
  return { tick, instances: config.instances.length, nodes, batches: sent };
}

/** What is on is ended before anything starts. */
function leasedFirst({ instances, ...config }: Config, { leases }: Leases): Config {
  const nodes = new Set([...leases.values()].map(({ lease }) => lease.node));
  const isLeased = (instance: (typeof instances)[number]) => instance.nodes.some(({ id }) => nodes.has(id));
  return { ...config, instances: [...instances.filter(isLeased), ...instances.filter((one) => !isLeased(one))] };
}
