import pLimit from 'p-limit';
import type { Switched } from '../actions/acting-leases.ts';
import { type StageClaims, stageClaims } from '../actions/stage-claims.ts';
import { boundIn } from '../config/bound.ts';
import { isFleet, nodesIn } from '../config/fleet.ts';
import type { Config } from '../config/schema.ts';
import { discoverFleet } from '../discovery/discover-fleet.ts';
import type { Fleet } from '../domain/discovered.ts';
import { allHeld, type HeldLease } from '../leases/lease-store.ts';
import type { Ports } from '../ports/ports.ts';
import { assign, groupsIn, type Run } from './assign.ts';
import { heldGroups, switchedNodes, switchGroups } from './groups.ts';
import { housekeeping } from './housekeeping.ts';
import { reconcileInstance } from './instance.ts';
import { duplicatesOf, placeLeases, withLeases } from './lease-placement.ts';
import { lookTime } from './look-order.ts';
import { type NodeTarget, observeFleet, type ReachedNode, type UnreachedNode } from './observe-fleet.ts';
import { publishTick } from './publish.ts';
import { inScope, isAsked, type Part, type Tick, type TickOptions } from './scope.ts';
import { nodesAround, type Snapshot, takeSnapshot } from './snapshot.ts';
import type { Unlisted } from './unlisted.ts';

/** Most of the work is waiting. Each has one connection at most, of the 128 that may be open at once (`node-session.ts`). */
const INSTANCES_AT_ONCE = 64;

/**
 * One tick: finds the nodes that the config does not name, observes every node, so that no node's failure and no node's action hides another one; then reconciles each instance,
 * one node at a time; then publishes.
 */
export async function tick(written: Config, ports: Ports, options: TickOptions): Promise<Tick> {
  const at = ports.clock.now();
  const fleet = await discoverFleet(written, ports, { isAsked: (id) => isAsked(id, options.scope) });
  const chores = housekeeping(ports, options);
  // In this order: to a check that is older than the lease, what another job has just switched on would seem switched off.
  const before = await takeSnapshot(ports, nodesAround(fleet.config, options.scope));
  const leases = before.kind === 'readable' ? before : before.lastKnown;
  const config = withLeases(fleet.config, leases, written);
  const targets = inScope(targetsOf(config), options.scope);
  const observed = await observeFleet(targets, ports, {
    leased: new Set(allHeld(leases).map(({ lease }) => lease.node)),
    duration: lookTime(options.remaining()),
  });
  const snapshot = await chores.followServers(before, observed);
  const parameterGroups = await heldGroups(ports, snapshot);
  const placements = placeLeases(leases, observed);
  const part = options.part?.kind === 'batch' ? options.part : undefined;
  const claims = stageClaimsOf(config, ports, {
    ...{ snapshot, placements, looks: observed, part },
    switched: switchedNodes(ports, parameterGroups, observed),
  });
  const run: Run = {
    ...{ ports, stage: config.stage, options, snapshot, claims },
    switched: parameterGroups.byNode,
    groups: groupsIn(config.instances, snapshot, claims.seen().falls, at),
    schedule: config.schedule,
    watchesNodes: isFleet(written) && config.metrics.send === 'classic',
  };
  // Before anything is started: an outage of a server under Offpeak's defrag counts in this tick already.
  await chores.recordOutages(run);
  const work = assign(config.instances, observed, placements, duplicatesOf(observed, placements));
  const reports = await pLimit(INSTANCES_AT_ONCE).map(work, (one) => reconcileInstance(one, run));
  const groups = await switchGroups(parameterGroups, { config, run, work });
  const orphans = await chores.tidy(config, run, { at, placements, observed, isComplete: fleet.failures.size === 0 });
  const around = unlistedAround(config, observed, fleet, { ports, options });
  const unlisted = await chores.keep('nodes that the config does not name', around, undefined);
  const { troubles } = chores;
  return await publishTick(config, run, {
    at,
    reports,
    orphans,
    groups,
    fleet,
    troubles,
    ...(unlisted && { unlisted }),
  });
}

/** Loaded where nodes that the config names have others beside them. */
async function unlistedAround(
  config: Config,
  observed: readonly (ReachedNode | UnreachedNode)[],
  { found }: Pick<Fleet, 'found'>,
  means: { readonly ports: Ports; readonly options: TickOptions },
): Promise<Unlisted | undefined> {
  const isAny = observed.some(
    (one) =>
      !one.instance.found &&
      'observation' in one &&
      (one.observation.isCluster || one.observation.replication.replicas),
  );
  return isAny ? await (await import('./unlisted.ts')).findUnlisted(config, observed, found, means) : undefined;
}

function targetsOf({ instances }: Config): readonly NodeTarget[] {
  return instances.flatMap((instance) => instance.nodes.map((node) => ({ instance, node })));
}

interface Seen {
  readonly snapshot: Snapshot;
  readonly placements: ReadonlyMap<string, HeldLease>;
  readonly looks: readonly (ReachedNode | UnreachedNode)[];
  readonly switched: Switched;
  /** Where this tick is about a part of the stage. */
  readonly part: Extract<Part, { kind: 'batch' }> | undefined;
}

function stageClaimsOf(
  { maxDefragsAtOnce, instances }: Config,
  ports: Ports,
  { snapshot, part, ...seen }: Seen,
): StageClaims {
  const isReadable = snapshot.kind === 'readable';
  const { stageDocument } = isReadable ? snapshot : {};
  return stageClaims(ports, {
    ...seen,
    ...(part && { since: part.at }),
    limit: boundIn(maxDefragsAtOnce, part?.nodes ?? nodesIn(instances)),
    groups: new Map(instances.flatMap(({ nodes, found }) => (found ? nodes.map(({ id }) => [id, found.group]) : []))),
    // Where it cannot be read nothing is started: see `State.obstacle`.
    document: typeof stageDocument === 'object' ? stageDocument : { claims: [], falls: [] },
    leases: isReadable ? allHeld(snapshot) : [],
    unreadable: isReadable ? [...snapshot.unreadable.keys()] : [],
  });
}
