import pLimit from 'p-limit';
import type { Config, InstanceConfig } from '../config/schema.ts';
import { HOUR, type Milliseconds, SECOND } from '../config/units.ts';
import type { Named } from '../discovery/unlisted.ts';
import type { Finding, NodeChange, UnlistedNode } from '../domain/discovered.ts';
import { unlistedText } from '../format/unlisted.ts';
import type { Ports } from '../ports/ports.ts';
import { unlessUnavailable } from '../ports/state-store.ts';
import { kept } from '../state/kept.ts';
import { type HeldMembership, type Membership, readMemberships, writeMembership } from '../state/memberships.ts';
import { type Around, clusterAround, idsOnce, isOfCluster, type Look, replicasAround } from './look-around.ts';
import type { TickOptions } from './scope.ts';

// Nodes that an instance does not name, though it names others of their Cluster, or their primary: they are not watched.

export interface Unlisted {
  readonly remarks: readonly string[];
  /** Those that are to be reported. */
  readonly changes: readonly NodeChange[];
  /** After the report: what was reported is not reported again. */
  readonly keep: () => Promise<void>;
}

const NONE_UNLISTED: Unlisted = { remarks: [], changes: [], keep: async () => {} };

/** CLUSTER NODES has a line for each node, and who adds one to a Cluster adds it to the config on the same day. */
const ASKED_EVERY: Milliseconds = 24 * HOUR;
/** What is left for the report. */
const TIME_LEFT: Milliseconds = 20 * SECOND;
const INSTANCES_AT_ONCE = 8;
/** Of one instance in one tick. The remark counts all of them. */
const MOST_REPORTED = 20;

/** A document of DynamoDB holds 400 KB. */
const MOST_KEPT = 2000;

interface Means {
  readonly ports: Pick<Ports, 'open' | 'store' | 'clock' | 'log'>;
  readonly options: TickOptions;
}

/**
 * Asks one node of each instance that names nodes of a Cluster, once a day, which nodes there are; and once more at the next tick where some are
 * not named, before that is reported. Replicas are in INFO. A person's check asks each time.
 *
 * @param found by the config's instance that discovers
 */
export async function findUnlisted(
  { instances }: Pick<Config, 'instances'>,
  looks: readonly Look[],
  found: ReadonlyMap<string, Finding>,
  { ports, options }: Means,
): Promise<Unlisted> {
  if (!isAbout(options) || instances.every((one) => one.found)) return NONE_UNLISTED;
  const named = namedIn(instances, found, options);
  const checked = new Set(looks.map(({ instance }) => instance));
  // In a tick of some instances, too, nodes of others do not say which ones they are.
  const isPart =
    (options.part?.kind === 'batch' && (options.part.others ?? []).length > 0) ||
    instances.some((one) => !one.found && !checked.has(one));
  const idOf = idsOnce(ports, () => options.remaining() > TIME_LEFT);
  const subjects = subjectsIn(instances, looks, { ports, all: looks, named, isPart, idOf });
  if (subjects.length === 0) return NONE_UNLISTED;
  const ids = subjects.map(({ instance }) => instance.id);
  const before = await unlessUnavailable(readMemberships(ports.store, ids), (error) => {
    ports.log.warn('nodes that the config does not name not looked for', { error });
    return new Map<string, HeldMembership>();
  });
  const results = await pLimit(INSTANCES_AT_ONCE).map(subjects, async (subject) => {
    const held = before.get(subject.instance.id);
    return held ? await unlistedOf(subject, held, { ports, options }) : NONE_UNLISTED;
  });
  const changes = results.flatMap((one) => one.changes);
  return {
    remarks: results.flatMap(({ remarks }) => remarks),
    // Several instances may have a part of one Cluster.
    changes: changes.filter(({ node }, index) => changes.findIndex((one) => one.node === node) === index),
    keep: async () => void (await Promise.all(results.map(({ keep }) => keep()))),
  };
}

/** Not the ticks that follow a defrag; nor a batch of a stage that discovers Clusters, whose nodes it does not know. */
function isAbout({ scope, part }: TickOptions): boolean {
  const isKnown = part?.kind !== 'batch' || part.others !== undefined;
  return isKnown && (scope.kind === 'fleet' || scope.kind === 'instances');
}

function namedIn(
  instances: readonly InstanceConfig[],
  found: ReadonlyMap<string, Finding>,
  { part }: TickOptions,
): Named {
  const others = part?.kind === 'batch' ? (part.others ?? []) : [];
  const nodes = [...found.values()].flatMap(({ shards }) => shards.flatMap((shard) => shard.nodes));
  const addresses = [...instances.flatMap((one) => one.nodes.map(({ id }) => id)), ...others];
  return {
    addresses: new Set(addresses.map((one) => one.toLowerCase())),
    ids: new Set(nodes.flatMap(({ identity }) => identity ?? [])),
  };
}

/** An instance of which something has to be asked, or is known. */
interface Subject {
  readonly instance: InstanceConfig;
  /** By what was observed; absent where nodes have to be asked. */
  readonly observed?: readonly UnlistedNode[];
  readonly ask: () => Promise<readonly UnlistedNode[] | undefined>;
}

/** Of most instances without a Cluster nothing is to be said, and nothing is read. */
function subjectsIn(instances: readonly InstanceConfig[], looks: readonly Look[], around: Around): readonly Subject[] {
  const byInstance = Map.groupBy(looks, ({ instance }) => instance);
  return instances.flatMap((instance): Subject[] => {
    const own = instance.found ? [] : (byInstance.get(instance) ?? []);
    if (own.some(isOfCluster)) return [{ instance, ask: async () => await clusterAround(own, around) }];
    const observed = replicasAround(own, around.named) ?? [];
    return observed.length === 0 ? [] : [{ instance, observed, ask: async () => observed }];
  });
}

async function unlistedOf({ instance, observed, ask }: Subject, held: HeldMembership, means: Means): Promise<Unlisted> {
  const { ports, options } = means;
  const { document } = held;
  const now = ports.clock.now();
  const isDue = options.remaining() > TIME_LEFT && hasToAsk(instance, document, options, now);
  const isNew = observed?.some(({ id }) => !document?.unlisted.some((one) => one.id === id)) ?? false;
  const seen = isDue || isNew ? (await ask())?.slice(0, MOST_KEPT) : undefined;
  const unlisted = seen ?? document?.unlisted ?? [];
  const known = new Set(document?.unlisted.map(({ id }) => id));
  const reported = new Set(document?.reported);
  const news = seen?.filter(({ id }) => known.has(id) && !reported.has(id)) ?? [];
  const after: Membership = {
    at: now,
    nodes: instance.nodes.map(({ id }) => id),
    unlisted,
    reported: unlisted.map(({ id }) => id).filter((id) => reported.has(id) || news.some((one) => one.id === id)),
  };
  return {
    remarks: unlisted.length === 0 ? [] : [unlistedText(instance.id, unlisted)],
    changes: news
      .slice(0, MOST_REPORTED)
      .map(({ address: node }) => ({ kind: 'node-unlisted', instance: instance.id, node })),
    keep: async () => {
      if (!isDue && !isNew) return;
      const written = writeMembership(ports.store, instance.id, after, held);
      await kept('nodes that the config does not name', instance.id, written, ports.log);
    },
  };
}

function hasToAsk(
  { nodes }: InstanceConfig,
  document: Membership | undefined,
  { mode }: TickOptions,
  now: number,
): boolean {
  if (mode !== 'act' || document === undefined) return true;
  const { at, unlisted, reported, nodes: before } = document;
  const isOther = before.join() !== nodes.map(({ id }) => id).join();
  return isOther || Math.abs(now - at) >= ASKED_EVERY || unlisted.some(({ id }) => !reported.includes(id));
}
