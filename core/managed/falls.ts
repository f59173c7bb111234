import { isSilence, type Look } from '../actions/outages.ts';
import type { Outage } from '../domain/stage.ts';
import { NIGHT } from '../guards/canary.ts';
import { versionOf } from '../guards/stage-limits.ts';
import { identify } from '../leases/identity.ts';
import type { GroupLease, LeasedNode } from './lease.ts';

/**
 * Servers that went down while their group was switched: their version gets no defrag in this night, as after one that went down under a lease
 * of its own (`outageOf`).
 */
export function fallsIn(
  { nodes, acquiredAt }: Pick<GroupLease, 'nodes' | 'acquiredAt'>,
  looks: ReadonlyMap<string, Look>,
  now: number,
): readonly Outage[] {
  return nodes.flatMap((leased) => fallOf(leased, acquiredAt, looks.get(leased.node), now) ?? []);
}

function fallOf(
  { node, runId, at, engine }: LeasedNode,
  acquiredAt: number,
  look: Look | undefined,
  now: number,
): Outage | undefined {
  if (!look || runId === undefined) return undefined;
  if ('problem' in look)
    return engine && isSilence(look.problem)
      ? { node, runId, engine, how: 'vanished', at: now, until: at + NIGHT }
      : undefined;
  const { observation } = look;
  if (identify({ runId, acquiredAt }, observation) !== 'restarted') return undefined;
  return { node, runId, engine: versionOf(observation.engine), how: 'restarted', at: now, until: now + NIGHT };
}
