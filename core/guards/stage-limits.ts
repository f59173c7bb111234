import type { StageBlocker } from '../domain/blocker.ts';
import type { Engine } from '../domain/engine.ts';
import type { Lease } from '../domain/lease.ts';
import type { Observation } from '../domain/observation.ts';
import type { Answer, Group, Outage, Place, StageLimits, Switching, Unseen, Version } from '../domain/stage.ts';
import { identify } from '../leases/identity.ts';
import { groupBlocker, NIGHT } from './canary.ts';

/** Reasons in the stage against one action on one node. */
export function stageBlockers(
  { limit, acting, falls }: StageLimits,
  own: Place & { readonly engine?: Version; readonly group?: Group },
  isDefrag: boolean,
  now: number,
): readonly StageBlocker[] {
  const others = acting.filter(({ node }) => node !== own.node);
  const defragged = others.filter((one) => one.isDefrag);
  const neighbour = others.find((one) => isSameHost(one, own));
  const blockers: (StageBlocker | undefined)[] = [
    isDefrag && defragged.length >= limit
      ? { kind: 'stage-limit', limit, nodes: defragged.map(({ node }) => node) }
      : undefined,
    own.group && groupBlocker(others, own.group, isDefrag),
    neighbour && { kind: 'host-acting', node: neighbour.node, isDefrag: neighbour.isDefrag },
    isDefrag ? fallBlocker(falls, own.engine, now) : undefined,
  ];
  return blockers.filter((blocker) => blocker !== undefined);
}

function fallBlocker(falls: readonly Outage[], version: Version | undefined, now: number): StageBlocker | undefined {
  const fall = latestOutage(falls, version, now);
  if (!fall) return undefined;
  const { node, engine, how, at, until } = fall;
  return { kind: 'version-fell', node, engine, how, at, until };
}

/** Reasons in the stage against one change that switches all of these nodes on at once. */
export function switchBlockers(limits: StageLimits, nodes: readonly Switching[], now: number): readonly StageBlocker[] {
  const ids = nodes.map(({ node }) => node);
  const fallen = nodes.flatMap(({ engine }) => fallBlocker(limits.falls, engine, now) ?? []);
  return [...roomBlockers(limits, ids), ...fallen.slice(0, 1)];
}

/** Each of them takes a place of the stage. */
export function roomBlockers({ limit, acting }: StageLimits, nodes: readonly string[]): readonly StageBlocker[] {
  const others = acting.filter((one) => one.isDefrag && !nodes.includes(one.node)).map(({ node }) => node);
  return others.length + nodes.length > limit ? [{ kind: 'stage-limit', limit, nodes: others }] : [];
}

/** By the name in the config, or by the address behind it. Neither recognises a proxy, or two addresses of one machine. */
function isSameHost(a: Place, b: Place): boolean {
  return hostOf(a.node) === hostOf(b.node) || (a.address !== undefined && a.address === b.address);
}

function hostOf(node: string): string {
  return node.slice(0, node.lastIndexOf(':'));
}

function latestOutage(falls: readonly Outage[], engine: Version | undefined, now: number): Outage | undefined {
  return falls
    .filter((fall) => isRecent(fall, now) && engine !== undefined && isSameVersion(engine, fall.engine))
    .toSorted((a, b) => b.at - a.at)[0];
}

export function isSameVersion(a: Version, b: Version): boolean {
  return a.name === b.name && a.version === b.version;
}

/** Its version gets no defrag now. */
export function isRecent({ until }: Pick<Outage, 'until'>, now: number): boolean {
  return now <= until;
}

/** A process under Offpeak's defrag. */
interface Defragged extends Pick<Lease, 'node' | 'runId' | 'acquiredAt'> {
  readonly engine?: Version;
  /** Its last check (epoch ms). */
  readonly checkedAt: number;
}

/**
 * Whether a process under defrag went down, or may have, by the check of its node. Only its own answer shows that it has not: one that is not
 * seen may have crashed, and so may one at whose address another server answers. Then the night counts from its last check, so that a server
 * that stays away blocks its version for no longer than one that comes back.
 */
export function fallOf({ checkedAt, ...one }: Defragged, seen: Observation | Unseen, now: number): Outage | undefined {
  const isSeen = typeof seen === 'object';
  const { node, runId, engine = isSeen ? versionOf(seen.engine) : undefined } = one;
  const identity = isSeen ? identify(one, seen) : 'another';
  if (identity === 'same' || engine === undefined) return undefined;
  if (identity === 'restarted') return { node, runId, engine, how: 'restarted', at: now, until: now + NIGHT };
  return { node, runId, engine, how: isSeen ? 'unchecked' : seen, at: now, until: checkedAt + NIGHT };
}

/** The same of a lease. A purge does not count: it is over before the next check, and no version is known to crash because of one. */
export function outageOf(lease: Lease, seen: Observation | Unseen, now: number): Outage | undefined {
  return lease.phase === 'purging' ? undefined : fallOf({ ...lease, checkedAt: lease.progress.at }, seen, now);
}

export function versionOf({ name, version }: Engine): Version {
  return { name, version };
}

/**
 * The known outages and the new ones, without those whose server has answered since then as the same process. A restart replaces what may
 * have been one; otherwise an outage counts from when it was noticed first.
 */
export function outagesAfter(
  known: readonly Outage[],
  found: readonly Outage[],
  answered: readonly Answer[],
  now: number,
): readonly Outage[] {
  const isBack = ({ how, runId, at }: Outage) =>
    how !== 'restarted' && answered.some((answer) => answer.runId === runId && answer.at > at);
  const falls = known.filter((fall) => isRecent(fall, now) && !isBack(fall));
  for (const fall of found.filter((one) => isRecent(one, now))) {
    const index = falls.findIndex(({ node, runId }) => node === fall.node && runId === fall.runId);
    if (index < 0) falls.push(fall);
    else if (falls[index]?.how !== 'restarted' && fall.how === 'restarted') falls[index] = fall;
  }
  return falls.toSorted((a, b) => b.at - a.at).slice(0, MOST_FALLS);
}

/** Of one night, so that the document stays small. The latest ones last longest. */
const MOST_FALLS = 50;
