import { HOUR, type Milliseconds } from '../config/units.ts';
import type { Blocker, StageBlocker } from '../domain/blocker.ts';
import type { Facts } from '../domain/plan.ts';
import type { ActingNode, Group } from '../domain/stage.ts';

/** A window and the rest of its night; over before the window of the next day. */
export const NIGHT: Milliseconds = 20 * HOUR;

/** Replicas come first: they are the canaries (valkey#1872, redis#12677 died when defrag was switched on, node after node). */
export function canaryDied({ fallen, now }: Facts): Blocker | undefined {
  if (fallen === undefined || now - fallen.at > NIGHT) return undefined;
  return { kind: 'canary-died', node: fallen.node, until: fallen.at + NIGHT };
}

/** The canary is of the group, not of each shard: all of them run one version, and hold one application's data. */
export function groupBlocker(
  others: readonly ActingNode[],
  { name, limit, isProven }: Group,
  isDefrag: boolean,
): StageBlocker | undefined {
  const its = others.filter(({ group }) => group === name);
  const canaries = isDefrag && !isProven ? its.filter((one) => one.isDefrag) : [];
  const nodes = (some: readonly ActingNode[]) => some.map(({ node }) => node);
  if (canaries.length > 0)
    return { kind: 'group-limit', group: name, limit: 1, nodes: nodes(canaries), isCanary: true };
  return its.length >= limit ? { kind: 'group-limit', group: name, limit, nodes: nodes(its) } : undefined;
}
