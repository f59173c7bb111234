import { DISCOVERIES } from './discover.ts';
import type { Draft } from './drafts.ts';
import { type Finding, valueAt } from './problem.ts';
import { type Path, showPath } from './show.ts';

// What must hold where an instance does not name its nodes, and where it takes values from templates.

const ACCEPTED = 'exactly one of `url` (one node), `nodes` (several) and `discover` (found at each tick)';

/** Exactly one of `url`, `nodes` and `discover`. */
export function sourceIsOne({ settings: { url, nodes, discover }, placeOf, index }: Draft): Finding[] {
  const named = Object.entries({ url, nodes, discover }).flatMap(([key, value]) => (value === undefined ? [] : [key]));
  const [first, second] = named;
  if (first === undefined)
    return [
      {
        path: ['instances', index],
        accepted: ACCEPTED,
        message: 'the instance has none of `url`, `nodes` and `discover`',
      },
    ];
  if (second === undefined) return [];
  return [
    { path: placeOf(second), accepted: ACCEPTED, message: `the instance has both \`${first}\` and \`${second}\`` },
  ];
}

/** One way to find nodes. */
export function discoveryIsOne({ settings: { discover }, placeOf }: Draft): Finding[] {
  if (discover === undefined) return [];
  const path = placeOf('discover');
  const named = DISCOVERIES.filter((way) => discover[way] !== undefined);
  const accepted = `exactly one of ${DISCOVERIES.map((way) => `\`${way}\``).join(', ')}`;
  const [way] = named;
  if (way === undefined || named.length > 1)
    return [{ path, accepted, message: `\`discover\` has ${way === undefined ? 'none' : 'several'} of its keys` }];
  if (way === 'cluster' || way === 'sentinel') return [];
  const { tags, groups } = discover[way] ?? {};
  if (tags !== undefined || groups !== undefined) return [];
  const wanted = '`tags`, `groups` or both: Offpeak maintains only what a tag or an id names';
  return [{ path: [...path, way], accepted: wanted, message: `\`${way}\` has neither \`tags\` nor \`groups\`` }];
}

/** The addresses by which an instance is discovered, with their places. */
export function seedsOf({ settings: { discover }, placeOf }: Draft) {
  const listed = (way: 'cluster' | 'sentinel', key: string) => (addresses: readonly { id: string; tls: boolean }[]) =>
    addresses.map((address, index) => ({ address, path: [...placeOf('discover'), way, key, index] as Path }));
  return {
    cluster: listed('cluster', 'seeds')(discover?.cluster?.seeds ?? []),
    sentinel: listed('sentinel', 'sentinels')(discover?.sentinel?.sentinels ?? []),
  };
}

/** Each template that is named exists, and none leads back to itself. */
export function templatesExist(file: unknown): Finding[] {
  const templates = valueAt(file, ['templates']);
  const names = typeof templates === 'object' && templates !== null ? Object.keys(templates) : [];
  const instances = valueAt(file, ['instances']);
  const users: readonly Path[] = [
    ...names.map((name) => ['templates', name]),
    ...(Array.isArray(instances) ? instances.map((_, index) => ['instances', index]) : []),
  ];
  return users.flatMap((user): Finding[] => {
    const path = [...user, 'template'];
    const name = valueAt(file, path);
    if (typeof name !== 'string') return [];
    const accepted =
      names.length === 0 ? 'the name of a template under `templates`' : `one of the templates ${names.join(', ')}`;
    if (!names.includes(name)) return [{ path, accepted, message: `there is no template ${JSON.stringify(name)}` }];
    if (!leadsTo(file, name, user[1])) return [];
    return [
      {
        path,
        accepted: 'templates that do not lead back to themselves',
        message: `${showPath(user)} is its own template`,
      },
    ];
  });
}

function leadsTo(file: unknown, name: string, target: PropertyKey | undefined): boolean {
  const seen = new Set<string>();
  for (
    let at: unknown = name;
    typeof at === 'string' && !seen.has(at);
    at = valueAt(file, ['templates', at, 'template'])
  ) {
    if (at === target) return true;
    seen.add(at);
  }
  return false;
}
