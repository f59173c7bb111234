import type { ManagedService } from '../../core/config/iam.ts';
import { SECOND } from '../../core/config/units.ts';
import { addressOf } from '../../core/discovery/addresses.ts';
import type { Discovered, FoundShard } from '../../core/domain/discovered.ts';
import { DiscoveryFailure } from '../../core/ports/discovery.ts';
import type { GroupUser, Parameter } from '../../core/ports/parameter-groups.ts';
import { CACHES, nodeName } from './fleet.ts';
import { aParameterGroup, type ParameterName } from './parameter-group.ts';
import type { SimulatedServer } from './server.ts';

/** The parameter group of the model, in whichever service; and one that cannot be changed. */
export const GROUP = 'offpeak';
export const DEFAULT_GROUP = 'default.redis7';
export const REGION = 'eu-west-1';
/** A cluster of other people: the config does not name it. */
export const FOREIGN = 'payments';
const FOREIGN_NODE = 'payments-0.redis.example:6379';

export const CACHE_SERVERS: readonly string[] = CACHES.nodes.map((_, index) => nodeName(CACHES.id, index));
/** Each with one node. */
export const CLUSTERS: readonly string[] = ['sessions', 'baskets'];

export interface ClusterOfModel {
  readonly node: string;
  group: string;
  /** AWS has to apply its group since then; undefined: it is in sync. */
  changedAt: number | undefined;
  isAvailable: boolean;
  /** The config's tag is on it; and another one, by which it is only watched. */
  isListed: boolean;
  isWatched: boolean;
}

export type Call = 'read' | 'users' | 'set' | 'reset';

/** What becomes of the next calls: refused, carried out without an answer, or carried out later than anybody waits. */
export interface TroubleOfAws {
  readonly call: Call;
  readonly how: 'refused' | 'unanswered' | 'late';
  times: number;
}

/** A call that is late arrives so much later: within the minute that a job waits for it. */
const LATE = 30 * SECOND;

/** The clusters of one account, and the parameter group that they share. */
export function aCloud(service: ManagedService, servers: ReadonlyMap<string, SimulatedServer>) {
  const group = aParameterGroup(service);
  const cloud = {
    service,
    group,
    clusters: new Map(
      CLUSTERS.map((name, index): [string, ClusterOfModel] => [
        name,
        {
          node: CACHE_SERVERS[index] ?? '',
          group: GROUP,
          changedAt: undefined,
          isAvailable: true,
          isListed: true,
          isWatched: false,
        },
      ]),
    ),
    /** Others use the group, too. */
    isShared: false,
    isFailing: false,
    /** AWS takes so long to give a group to its nodes. */
    applies: 20 * SECOND,
    trouble: undefined as TroubleOfAws | undefined,
    underWay: [] as { readonly at: number; readonly step: () => void }[],
  };

  const touch = (now: number) => {
    for (const cluster of cloud.clusters.values()) if (cluster.group === GROUP) cluster.changedAt = now;
  };

  /** A node has the values of its group, and reads them at each start. */
  function apply({ node, group: name }: ClusterOfModel): void {
    const server = servers.get(node);
    if (!server) return;
    for (const [parameter, { value, owner }] of Object.entries(group.values)) {
      const isIts = name === GROUP;
      server.settings[parameter] = isIts ? value : (server.factory[parameter] ?? '');
      server.owners[parameter] = !isIts || owner === 'family' ? 'file' : owner;
    }
    server.rewrite();
  }

  function pass(now: number): void {
    for (const { step } of cloud.underWay.filter(({ at }) => at <= now)) step();
    cloud.underWay = cloud.underWay.filter(({ at }) => at > now);
    for (const cluster of cloud.clusters.values()) {
      if (cluster.changedAt === undefined || now - cluster.changedAt < cloud.applies) continue;
      cluster.changedAt = undefined;
      apply(cluster);
    }
  }

  /** What becomes of a call. @throws {DiscoveryFailure} */
  function call<T>(kind: Call, now: number, step: () => T): T {
    const { trouble } = cloud;
    if (trouble?.call !== kind) return step();
    trouble.times--;
    if (trouble.times <= 0) cloud.trouble = undefined;
    if (trouble.how === 'unanswered') step();
    if (trouble.how === 'late') cloud.underWay.push({ at: now + LATE, step });
    throw new DiscoveryFailure(`${kind}: ${trouble.how}`);
  }

  return Object.assign(cloud, {
    pass,
    call,
    touch,
    read: (name: string): readonly Parameter[] => (name === GROUP ? group : aParameterGroup(service)).read(),
    users: (name: string): readonly GroupUser[] => [
      ...[...cloud.clusters].flatMap(([cluster, { group: its, node, changedAt }]) =>
        its === name ? [{ cluster, nodes: [node], isInSync: changedAt === undefined, isGlobal: false }] : [],
      ),
      ...(cloud.isShared && name === GROUP
        ? [{ cluster: FOREIGN, nodes: [FOREIGN_NODE], isInSync: true, isGlobal: false }]
        : []),
    ],
    set(values: Readonly<Record<string, string>>, now: number): void {
      for (const [name, value] of Object.entries(values)) group.set(name as ParameterName, value);
      touch(now);
    },
    reset(names: readonly string[], now: number): void {
      for (const name of names) group.reset(name as ParameterName);
      touch(now);
    },
    /** A person, in AWS' console. */
    type(name: ParameterName, value: string, now: number): void {
      group.type(name, value);
      touch(now);
    },
    give(cluster: ClusterOfModel, name: string, now: number): void {
      Object.assign(cluster, { group: name, changedAt: now });
    },
  });
}

export type CloudOfModel = ReturnType<typeof aCloud>;

/** The answer of a discovery. */
export function cachesIn({ service, clusters, isFailing }: CloudOfModel): Discovered {
  if (isFailing) throw new DiscoveryFailure('AWS throttles');
  return { shards: [...clusters].flatMap((one) => (one[1].isListed ? [shardOf(service, one)] : [])), leftOut: [] };
}

function shardOf(
  service: ManagedService,
  [group, { node, group: parameterGroup, isAvailable, isWatched }]: readonly [string, ClusterOfModel],
): FoundShard {
  const status = isAvailable ? 'available' : 'modifying';
  return {
    ...{ group, name: '0001', nodes: [{ address: addressOf(node, false), identity: `${group}-0001` }] },
    managed: { service, group, region: REGION, status, parameterGroup },
    ...(isWatched && { overrides: { acts: false } }),
  };
}

/** Nodes that a tick has to see. While the discovery fails, its inventory says which, and the model does not. */
export function listedIn({ clusters, isFailing }: CloudOfModel): readonly string[] {
  return isFailing ? [] : [...clusters.values()].flatMap(({ node, isListed }) => (isListed ? [node] : []));
}
