import * as z from 'zod/mini';
import { nodesIn } from '../config/fleet.ts';
import type { Config, Found, InstanceConfig } from '../config/schema.ts';
import { SHARD } from '../discovery/inventory.ts';
import { instancesOf } from '../discovery/resolve.ts';
import { type Finding, type NamedShard, shardId } from '../domain/discovered.ts';
import { jsonIn } from '../format/json.ts';
import { MOST_BYTES } from '../ports/batch-queue.ts';

/** A change that an earlier worker would misread gets another number. */
export const BATCH_VERSION = 1;

/** Of whichever is reached first. A worker checks so many nodes in a second or two; of 10,000 instances with one node it makes 400 messages. */
const MOST_INSTANCES = 25;
const MOST_NODES = 50;
/** The rest is for what surrounds the instances. */
const MOST_INSTANCE_BYTES = MOST_BYTES - 4096;

/** One message of the queue: some instances of a stage in one tick. */
export interface Batch {
  readonly schema: number;
  readonly stage: string;
  /** When the dispatch began its tick (epoch ms). */
  readonly at: number;
  /** Counted from 0 within the tick. */
  readonly number: number;
  /** Of the whole stage: limits may be a share of them. */
  readonly nodes: number;
  readonly instances: readonly BatchInstance[];
}

/** What a worker needs beside the config, which it has itself. */
interface BatchInstance {
  /** Of the config's instance. */
  readonly id: string;
  /** One shard of it, as the dispatch has found it, and what is known of its group; absent where the config names the nodes. */
  readonly shard?: NamedShard;
  readonly found?: Found;
}

const shape = z.looseObject({
  schema: z.number(),
  stage: z.string(),
  at: z.number().check(z.gte(0), z.lte(8.64e15)),
  number: z.int().check(z.gte(0)),
  nodes: z.int().check(z.gte(0)),
  instances: z.array(
    z.looseObject({
      id: z.string(),
      shard: z.exactOptional(SHARD),
      found: z.exactOptional(z.looseObject({ by: z.string(), group: z.string() })),
    }),
  ),
});

/**
 * The instances of a tick in batches, in their order.
 *
 * @param found by the config's instance: what its discovery has found
 */
export function batchesOf(
  { stage, instances }: Pick<Config, 'stage' | 'instances'>,
  found: ReadonlyMap<string, Finding>,
  at: number,
): readonly Batch[] {
  const messages: BatchInstance[][] = [];
  let [nodes, bytes] = [0, 0];
  for (const unit of unitsOf(entriesOf(instances, found))) {
    const last = messages.at(-1);
    const size = unit.reduce((sum, one) => sum + one.nodes, 0);
    const length = unit.reduce((sum, { entry }) => sum + Buffer.byteLength(JSON.stringify(entry)) + 1, 0);
    const isFull = last === undefined || last.length >= MOST_INSTANCES || nodes + size > MOST_NODES;
    const entries = unit.map(({ entry }) => entry);
    if (isFull || bytes + length > MOST_INSTANCE_BYTES) {
      messages.push(entries);
      [nodes, bytes] = [size, length];
    } else {
      last.push(...entries);
      [nodes, bytes] = [nodes + size, bytes + length];
    }
  }
  const all = nodesIn(instances);
  return messages.map((some, number) => ({ schema: BATCH_VERSION, stage, at, number, nodes: all, instances: some }));
}

interface Entry {
  readonly entry: BatchInstance;
  readonly nodes: number;
  /** Entries with the same one stay in one message. */
  readonly unit: string;
}

/**
 * What stays in one message: all shards of a discovered group, which have a canary and bounds in common, and all that a parameter group
 * serves which Offpeak may switch; as far as a message can hold them, which
 * is some 800 nodes.
 */
function unitsOf(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const groups = Map.groupBy(entries, ({ unit }) => unit);
  return [...groups.values()].flatMap((group) => {
    const units: Entry[][] = [];
    let room = 0;
    for (const one of group) {
      const length = Buffer.byteLength(JSON.stringify(one.entry)) + 1;
      const last = units.at(-1);
      if (last === undefined || length > room) units.push([one]);
      else last.push(one);
      room = (last === undefined || length > room ? MOST_INSTANCE_BYTES : room) - length;
    }
    return units;
  });
}

function entriesOf(instances: readonly InstanceConfig[], found: ReadonlyMap<string, Finding>): readonly Entry[] {
  const shards = new Map(
    [...found].flatMap(([by, finding]) => finding.shards.map((shard) => [shardId(by, shard), shard] as const)),
  );
  return instances.map((instance) => {
    const { id, nodes, found: origin } = instance;
    if (!origin) return { entry: { id }, nodes: nodes.length, unit: id };
    const shard = shards.get(id) ?? { ...namesIn(id, origin.by), nodes: [] };
    // Of its nodes some may be those of another instance; and a node with a lease stays, though it is no longer found.
    const known = new Map(shard.nodes.map((node) => [node.address.id, node]));
    const own = nodes.map((address) => known.get(address.id) ?? { address });
    return {
      entry: { id: origin.by, shard: { ...shard, nodes: own }, found: origin },
      nodes: nodes.length,
      unit: unitOf(instance, origin),
    };
  });
}

function unitOf({ defrag }: InstanceConfig, { by, group, managed }: Found): string {
  const { service, region, parameterGroup } = managed ?? {};
  const isSwitched = defrag.through === 'parameter-group' && parameterGroup !== undefined;
  return isSwitched ? `${service} ${region} ${parameterGroup}` : `${by} ${group}`;
}

/** Of a shard that is not found any more: see `shardId`. */
function namesIn(id: string, by: string): Pick<NamedShard, 'group' | 'name'> {
  const parts = id.slice(by.length + 1).split('/');
  return { group: parts.slice(0, -1).join('/'), name: parts.at(-1) ?? '' };
}

/**
 * A message of the queue. One of another version is not read any further than its schema.
 * @throws TypeError for what is not a batch, without its text
 */
export function readBatch(body: string): Batch | { readonly schema: number } {
  const value = jsonIn(body);
  const { data: versioned } = z.object({ schema: z.number() }).safeParse(value);
  if (versioned && versioned.schema !== BATCH_VERSION) return versioned;
  const { data } = shape.safeParse(value);
  if (data === undefined)
    throw new TypeError(
      'the message is not a batch: accepted is {"schema": 1, "stage": …, "at": …, "number": …, "instances": [{"id": …}]}',
    );
  return data as Batch;
}

/** The config with the instances of a batch only, and the ids of those that the config no longer has. */
export function configOf(
  { instances }: Batch,
  config: Config,
): { readonly config: Config; readonly gone: readonly string[] } {
  const written = new Map(config.instances.map((instance) => [instance.id, instance]));
  const gone: string[] = [];
  const own = instances.flatMap(({ id, shard, found }) => {
    const template = written.get(id);
    // An instance that is found now may have been named before a deployment, and the other way round.
    if (template === undefined || (template.discover !== undefined) !== (shard !== undefined)) {
      gone.push(shard ? shardId(id, shard) : id);
      return [];
    }
    if (!shard) return [template];
    return instancesOf(template, [shard]).map((one) => ({ ...one, ...(found && { found }) }));
  });
  // A part of a fleet with a queue, however few its instances are.
  return { config: { ...config, fleet: { ...config.fleet, queue: 'always' }, instances: own }, gone };
}
