import type { Entry } from '../entries.ts';

/** A name for each instance: what sentinels call it, else its first host; `cache-1.example` is `cache-1`. */
export function namesOf(entries: readonly Entry[]): readonly string[] {
  const taken = new Set<string>();
  return entries.map((entry, index) => {
    // As `check` calls it.
    const serverName = entries.length === 1 ? 'server' : `server-${index + 1}`;
    const name = nameOf(entry) || serverName;
    const own = taken.has(name) ? `${name}-${index + 1}` : name;
    taken.add(own);
    return own;
  });
}

function nameOf({ place, typed: [first] }: Entry): string {
  const host = first?.nodes[0]?.host ?? '';
  const [label = ''] = (place.kind === 'sentinel' ? place.name : host).split('.');
  if (label === 'localhost' || (host.includes(':') && place.kind !== 'sentinel')) return '';
  return label
    .toLowerCase()
    .replace(/[^a-z0-9-]/g, '')
    .replace(/^[^a-z]+/, '')
    .slice(0, 30);
}
