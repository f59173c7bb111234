import { type Fleet, type FleetChange, type NamedShard, shardId } from '../../core/domain/discovered.ts';
import { covers } from '../../core/domain/pause.ts';
import { countText, isoText, timeText } from '../../core/format/units.ts';
import { JSON_SCHEMA } from './json.ts';
import type { Head } from './status-json.ts';
import { tableLines } from './table.ts';

/** What was found for one instance of the config. */
interface About {
  readonly by: string;
  readonly failure: string | undefined;
  readonly inventoryAt: number | undefined;
  /** With the ids of the instances that they become. */
  readonly shards: readonly { readonly id: string; readonly shard: NamedShard }[];
  readonly leftOut: readonly string[];
  readonly changes: readonly FleetChange[];
}

function aboutEach({ found, failures, leftOut, changes }: Fleet): readonly About[] {
  return [...found].map(([by, { shards, inventoryAt }]) => ({
    by,
    failure: failures.get(by),
    inventoryAt,
    shards: shards.map((shard) => ({ id: shardId(by, shard), shard })).toSorted((a, b) => a.id.localeCompare(b.id)),
    leftOut: leftOut.filter((what) => covers(by, what.slice(0, what.indexOf(':')))),
    changes: changes.filter(({ instance }) => covers(by, instance)),
  }));
}

/** A table of nodes for each instance, and in sentences what else there is to say. */
export function discoveredLines(fleet: Fleet, { timezone }: { readonly timezone: string }): readonly string[] {
  const about = aboutEach(fleet);
  if (about.length === 0) return ['No instance of the config has `discover`: it names every node itself.'];
  return about.flatMap(({ by, failure, inventoryAt, shards, leftOut, changes }, index) => [
    ...(index === 0 ? [] : ['']),
    `${by}: ${counted(shards.length, 'shard')}, ${counted(nodesIn(shards).length, 'node')}`,
    ...(failure === undefined ? [] : [`  could not be found now: ${failure}`]),
    ...tableLines(nodesIn(shards)),
    ...leftOut.map((what) => `  ${what.startsWith(`${by}: `) ? what.slice(by.length + 2) : what}`),
    ...(failure === undefined ? changeLines(changes, inventoryAt, timezone) : []),
  ]);
}

function nodesIn(shards: About['shards']): readonly (readonly string[])[] {
  return shards.flatMap(({ id, shard: { nodes } }) =>
    nodes.map(({ address, role = '' }, index) => [index === 0 ? id : '', address.id, role]),
  );
}

function counted(count: number, what: string): string {
  return `${countText(count)} ${what}${count === 1 ? '' : 's'}`;
}

function changeLines(changes: readonly FleetChange[], inventoryAt: number | undefined, timezone: string) {
  if (inventoryAt === undefined) return ['  no tick has found them before'];
  const since = `the tick of ${timeText(inventoryAt, { timezone })}`;
  if (changes.length === 0) return [`  the same nodes as in ${since}`];
  return changes.map(
    ({ kind, instance, node }) => `  ${kind === 'node-found' ? 'new' : 'gone'} since ${since}: ${node} (${instance})`,
  );
}

/** `discover --json`: one line. docs/cli-json.md lists every field. */
export function discoveredJson({ at, stage, state }: Head, fleet: Fleet): string {
  const instances = aboutEach(fleet).map(({ by, failure, inventoryAt, shards, leftOut, changes }) => ({
    instance: by,
    failure,
    inventoryAt: inventoryAt === undefined ? undefined : isoText(inventoryAt),
    shards: shards.map(({ id, shard: { nodes, managed } }) => ({
      instance: id,
      nodes: nodes.map(({ address, role }) => ({ node: address.id, role })),
      managed,
    })),
    leftOut,
    changes: changes.map(({ kind, instance, node }) => ({ kind, instance, node })),
  }));
  return JSON.stringify({ schema: JSON_SCHEMA, at: isoText(at), stage, state, instances });
}
