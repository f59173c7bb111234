import { HOUR, type Milliseconds } from '../../shared/config/units.ts';
import type { Engine } from '../../shared/redis/engine.ts';
import { identify, type Lease } from './lease.ts';
import type { Observation } from './observation.ts';

/**
 * What holds for the stage as a whole, whatever its instances are: so many nodes under active defrag at once, one node of a host at a
 * time, and none on an engine version on which a server has just gone down under our defrag.
 */
export interface StageBrakes {
  /** `maxDefragsAtOnce` of the config. */
  readonly limit: number;
  /** Nodes on which a lease stands, or on which a job is about to take one. */
  readonly acting: readonly ActingNode[];
  /** What has befallen servers under our defrag; those of before the last night count no more. */
  readonly falls: readonly Fall[];
}

export interface ActingNode extends Place {
  /** A purge takes no place among those of the stage. */
  readonly isDefrag: boolean;
}

/** Where a server runs, as far as it can be seen from here. */
export interface Place {
  /** `host:port`, as the config names it. */
  readonly node: string;
  /** The IP address that its connection led to: two names may lead to one host. */
  readonly address?: string;
}

export type Version = Pick<Engine, 'name' | 'version'>;

/** A server that went down under our defrag. */
export interface Fall {
  readonly node: string;
  /** Of the process that the defrag was on: when it answers again, it had only been away. */
  readonly runId: string;
  readonly engine: Version;
  readonly how: 'restarted' | 'vanished';
  /** Epoch ms: when it was noticed, and when its version is tried again. */
  readonly at: number;
  readonly until: number;
}

/** Who has answered, and when (epoch ms). */
export interface Answer {
  readonly runId: string;
  readonly at: number;
}

/** Why the stage keeps a node from being acted on, with its figures. */
export type BrakeBlocker =
  | { readonly kind: 'stage-limit'; readonly limit: number; readonly nodes: readonly string[] }
  /** Two servers of one machine share its processors, its memory bandwidth and its kernel's locks. */
  | { readonly kind: 'host-acting'; readonly node: string; readonly isDefrag: boolean }
  /** Crashes under defrag are a matter of the version (see the deny-list): what has befallen one is not tried on the next. */
  | {
      readonly kind: 'version-fell';
      readonly node: string;
      readonly engine: Version;
      readonly how: Fall['how'];
      readonly at: number;
      readonly until: number;
    };

/** A window and the rest of its night, and over before the next day's. */
export const NIGHT: Milliseconds = 20 * HOUR;

/** What of the stage stands in the way of one action on one node. */
export function brakeBlockers(
  { limit, acting, falls }: StageBrakes,
  own: Place & { readonly engine?: Version },
  isDefrag: boolean,
  now: number,
): readonly BrakeBlocker[] {
  const others = acting.filter(({ node }) => node !== own.node);
  const defragged = others.filter((one) => one.isDefrag);
  const neighbour = others.find((one) => isSameHost(one, own));
  const fall = isDefrag ? latestFall(falls, own.engine, now) : undefined;
  const blockers: (BrakeBlocker | undefined)[] = [
    isDefrag && defragged.length >= limit
      ? { kind: 'stage-limit', limit, nodes: defragged.map(({ node }) => node) }
      : undefined,
    neighbour && { kind: 'host-acting', node: neighbour.node, isDefrag: neighbour.isDefrag },
    fall && {
      kind: 'version-fell',
      node: fall.node,
      engine: fall.engine,
      how: fall.how,
      at: fall.at,
      until: fall.until,
    },
  ];
  return blockers.filter((blocker) => blocker !== undefined);
}

/** By the name in the config, or by the address behind it: one is enough. Neither sees through a proxy, nor two addresses of one machine. */
function isSameHost(a: Place, b: Place): boolean {
  return hostOf(a.node) === hostOf(b.node) || (a.address !== undefined && a.address === b.address);
}

function hostOf(node: string): string {
  return node.slice(0, node.lastIndexOf(':'));
}

function latestFall(falls: readonly Fall[], engine: Version | undefined, now: number): Fall | undefined {
  return falls
    .filter(
      (fall) => isRecent(fall, now) && engine?.name === fall.engine.name && engine.version === fall.engine.version,
    )
    .toSorted((a, b) => b.at - a.at)[0];
}

/** Its version is left alone. */
export function isRecent({ until }: Pick<Fall, 'until'>, now: number): boolean {
  return now <= until;
}

/**
 * Whether the server of a lease went down under it, by what the look at its node saw. `silent`: it did not answer; the night is counted
 * from when it was seen last, so that one that stays away holds its version for no longer than one that comes back. A purge is over before
 * anybody looks, and no version is known to die of one.
 */
export function fallOf(lease: Lease, seen: Observation | 'silent', now: number): Fall | undefined {
  const engine = lease.engine ?? (seen === 'silent' ? undefined : versionOf(seen.engine));
  if (lease.phase === 'purging' || engine === undefined) return undefined;
  if (seen !== 'silent' && identify(lease, seen) !== 'restarted') return undefined;
  const [how, since] = seen === 'silent' ? (['vanished', lease.progress.at] as const) : (['restarted', now] as const);
  return { node: lease.node, runId: lease.runId, engine, how, at: now, until: since + NIGHT };
}

export function versionOf({ name, version }: Engine): Version {
  return { name, version };
}

/**
 * The falls that are known and those that were found, without those whose server has answered since as the process that it was. A
 * restart says more than a silence, and what is known longer counts from its first notice.
 */
export function fallsAfter(
  known: readonly Fall[],
  found: readonly Fall[],
  answered: readonly Answer[],
  now: number,
): readonly Fall[] {
  const isBack = ({ how, runId, at }: Fall) =>
    how === 'vanished' && answered.some((answer) => answer.runId === runId && answer.at > at);
  const falls = known.filter((fall) => isRecent(fall, now) && !isBack(fall));
  for (const fall of found.filter((one) => isRecent(one, now))) {
    const index = falls.findIndex(({ node, runId }) => node === fall.node && runId === fall.runId);
    if (index < 0) falls.push(fall);
    else if (falls[index]?.how === 'vanished' && fall.how === 'restarted') falls[index] = fall;
  }
  return falls.toSorted((a, b) => b.at - a.at).slice(0, MOST_FALLS);
}

/** Of one night; a document stays small whatever happens. The latest ones bind the longest. */
const MOST_FALLS = 50;
