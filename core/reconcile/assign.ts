import type { StageClaims } from '../actions/stage-claims.ts';
import { boundIn } from '../config/bound.ts';
import type { InstanceConfig, Schedule } from '../config/schema.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Group, Outage } from '../domain/stage.ts';
import { NIGHT } from '../guards/canary.ts';
import type { HeldLease } from '../leases/lease-store.ts';
import type { Ports } from '../ports/ports.ts';
import type { Announced } from './announcer.ts';
import type { ReachedNode, UnreachedNode } from './observe-fleet.ts';
import type { TickOptions } from './scope.ts';
import type { Snapshot } from './snapshot.ts';

/** One instance in one tick: the unit of work, which a queue can carry. */
export interface InstanceWork {
  readonly instance: InstanceConfig;
  /** What the first check of each of its nodes has found, in the order of the config. */
  readonly nodes: readonly (ReachedNode | UnreachedNode)[];
  /** Its leases, by the node at which each is to be ended. */
  readonly leases: ReadonlyMap<string, HeldLease>;
  /** Nodes whose server the config names under another address as well, with that address: acted on there only. */
  readonly duplicates: ReadonlyMap<string, string>;
}

/** What came of it. */
export interface InstanceReport {
  readonly instance: string;
  /** One for each of its nodes. */
  readonly outcomes: readonly Outcome[];
  readonly announced: Announced;
}

/** What holds for each instance of a tick. */
export interface Run {
  readonly ports: Ports;
  readonly stage: string;
  readonly options: TickOptions;
  readonly snapshot: Snapshot;
  readonly claims: StageClaims;
  /** Nodes whose parameter group Offpeak has switched, by their ids. */
  readonly switched: ReadonlyMap<string, { readonly expiresAt: number }>;
  /** Discovered groups of several shards, by their names. */
  readonly groups: ReadonlyMap<string, GroupState>;
  readonly schedule: Pick<Schedule, 'every'>;
  /** Whether the job itself reports troubles of nodes: where no alarm of CloudWatch watches each of them. */
  readonly watchesNodes: boolean;
}

/** What has happened in a discovered group this night, on all of its shards. */
interface GroupState extends Group {
  /** Nodes whose servers restarted under Offpeak's defrag, and when (epoch ms), the latest first. */
  readonly fallen: readonly { readonly node: string; readonly at: number }[];
}

/**
 * Of each discovered group that has several shards.
 *
 * @param falls what this tick has found itself is in no history yet
 */
export function groupsIn(
  instances: readonly InstanceConfig[],
  snapshot: Snapshot,
  falls: readonly Outage[],
  now: number,
): ReadonlyMap<string, GroupState> {
  if (snapshot.kind === 'unavailable') return new Map();
  const shards = instances.filter(({ found }) => found?.shards !== undefined);
  return new Map(
    [...Map.groupBy(shards, ({ found }) => found?.group ?? '')].map(([name, its]) => {
      const nodes = its.flatMap((shard) => shard.nodes.map(({ id }) => ({ node: id, ...snapshot.historyOf(id) })));
      const crashed = nodes.flatMap((one) => (one.crashed ? [{ node: one.node, at: one.crashed.at }] : []));
      const fallen = [...crashed, ...falls.filter((fall) => nodes.some(({ node }) => node === fall.node))];
      const isProven = nodes.some(({ byAction }) => byAction.defrag?.results?.some(({ at }) => now - at < NIGHT));
      const [first] = its;
      const limit = boundIn(first?.maxShardsAtOnce ?? 1, first?.found?.shards ?? 1);
      return [name, { name, limit, isProven, fallen: fallen.toSorted((a, b) => b.at - a.at) }];
    }),
  );
}

/** One work for each instance of which a node was checked. Those with leases come first: what is on is ended before anything starts. */
export function assign(
  instances: readonly InstanceConfig[],
  observed: readonly (ReachedNode | UnreachedNode)[],
  placements: ReadonlyMap<string, HeldLease>,
  duplicates: ReadonlyMap<string, string>,
): readonly InstanceWork[] {
  const looks = Map.groupBy(observed, ({ instance }) => instance);
  const works = instances.flatMap((instance): InstanceWork[] => {
    const nodes = looks.get(instance) ?? [];
    return nodes.length === 0 ? [] : [{ instance, nodes, leases: leasesOf(instance, placements), duplicates }];
  });
  const isLeased = ({ instance: { nodes } }: InstanceWork) => nodes.some(({ id }) => placements.has(id));
  return [...works.filter(isLeased), ...works.filter((work) => !isLeased(work))];
}

/** Those on its nodes, whatever it was called when they were taken, and the one under its name, wherever that node is now. */
function leasesOf(
  { id, nodes }: InstanceConfig,
  placements: ReadonlyMap<string, HeldLease>,
): ReadonlyMap<string, HeldLease> {
  const isIts = (node: string, { lease }: HeldLease) => lease.instance === id || nodes.some((one) => one.id === node);
  return new Map([...placements].filter(([node, held]) => isIts(node, held)));
}
