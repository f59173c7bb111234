import type { AlertMember } from '../domain/alert.ts';

type Place = Pick<AlertMember, 'instance' | 'node'>;

/** This many instances are counted by name; the rest are counted together. */
const MOST_INSTANCES = 20;

/** `carts carts-1.redis.example:6379: 300 MiB returned by a purge`. */
export function memberText({ instance, node, what }: AlertMember): string {
  const place = instance === 'all' ? 'all instances' : `${instance} ${node}`;
  return what === '' ? place : `${place}: ${what}`;
}

/**
 * A line for each member; without texts of their own, one for each instance: `carts carts-1:6379, carts-2:6379`, under the event where
 * there are several.
 */
export function memberLines(members: readonly AlertMember[]): readonly string[] {
  if (members.some(({ what }) => what !== '')) return members.map(memberText);
  const byEvent = [...Map.groupBy(members, ({ event }) => event)];
  return byEvent.flatMap(([event, those]) => [
    ...(byEvent.length === 1 ? [] : [`${event}:`]),
    ...linesByInstance(those),
  ]);
}

function linesByInstance(members: readonly AlertMember[]): readonly string[] {
  return [...Map.groupBy(members, ({ instance }) => instance)].map(([instance, those]) =>
    instance === 'all' ? 'all instances' : `${instance} ${those.map(({ node }) => node).join(', ')}`,
  );
}

/** `carts 12, queue 3`: how many of each instance, the most first. */
export function countsText(places: readonly Place[]): string {
  const counts = [...Map.groupBy(places, ({ instance }) => instance)]
    .map(([instance, those]) => ({ instance, count: those.length }))
    .toSorted((a, b) => b.count - a.count);
  const named = counts.slice(0, MOST_INSTANCES).map(({ instance, count }) => `${instance} ${count}`);
  const rest = counts.slice(MOST_INSTANCES);
  const others = rest.reduce((sum, { count }) => sum + count, 0);
  return [...named, ...(rest.length === 0 ? [] : [`${rest.length} more instances ${others}`])].join(', ');
}
