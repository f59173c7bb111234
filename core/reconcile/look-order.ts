import { MINUTE, type Milliseconds, SECOND } from '../config/units.ts';

/** With less, one slow server could not be checked; publishing has a time of its own, which is not in what remains. */
const SHORTEST: Milliseconds = 5 * SECOND;
/** What no fleet needs; a timer takes at most 24 days. */
const LONGEST: Milliseconds = 15 * MINUTE;
/** Of two minutes, 35 s: 128 dead nodes at once that take 3 s each are 1,400. The rest is for ending leases, which takes 60 s. */
const SHARE = 1 / 3;

/** How long the first checks of a tick may take in all, of the time that remains to the invocation. */
export function lookTime(remaining: Milliseconds): Milliseconds {
  return Math.min(Math.max(remaining * SHARE, SHORTEST), LONGEST);
}

/**
 * In which order nodes are checked, in case the time does not suffice: those with a lease; those that answered their last check, which
 * takes them milliseconds; those that were not checked yet, in an order that `seed` decides, so that the last ones are not always the
 * same; those that did not answer, the one whose last check is the longest ago first.
 *
 * @param sightings by node, the latest last: whether it has answered
 */
export function lookingOrder<T extends { readonly node: { readonly id: string } }>(
  nodes: readonly T[],
  {
    leased,
    sightings,
    seed,
  }: {
    readonly leased: ReadonlySet<string>;
    readonly sightings: ReadonlyMap<string, boolean>;
    readonly seed: number;
  },
): readonly T[] {
  const age = new Map([...sightings.keys()].map((node, index) => [node, index]));
  const rank = ({ node: { id } }: T): readonly [group: number, place: number] => {
    if (leased.has(id)) return [0, 0];
    const answered = sightings.get(id);
    if (answered === undefined) return [2, hash(`${seed} ${id}`)];
    return answered ? [1, 0] : [3, age.get(id) ?? 0];
  };
  return nodes
    .map((node) => ({ node, rank: rank(node) }))
    .toSorted(({ rank: [a, i] }, { rank: [b, j] }) => a - b || i - j)
    .map(({ node }) => node);
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let sum = 0x811c9dc5;
  for (const character of text) sum = Math.imul(sum ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return sum >>> 0;
}
