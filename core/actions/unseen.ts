import type { StageBlocker } from '../domain/blocker.ts';
import type { Lease } from '../domain/lease.ts';
import type { Version } from '../domain/stage.ts';
import { NIGHT } from '../guards/canary.ts';
import { isSameVersion } from '../guards/stage-limits.ts';
import { type HeldLease, isQuarantined } from '../leases/lease-store.ts';
import type { SwitchedNode } from './acting-leases.ts';
import type { Look } from './outages.ts';

/**
 * A server under defrag that no worker has checked in this tick: it may have gone down, and its version would get no defrag then. Messages
 * come in any order, so that a worker may be ahead of the one that has this node. Each check of a running defrag is stored in its lease
 * (`progress.at`). A lease that is being ended does not count, since its last checks are not stored; nor does one that had no check for a
 * night: by then its version is tried again.
 *
 * @param since when the dispatch began this tick (epoch ms); absent where one job has all nodes
 * @param looks what this worker has checked itself
 * @param switched nodes that a parameter group has switched: they have no lease of their own
 */
export function unseenBlockers(
  leases: readonly HeldLease[],
  { engine: own }: Pick<Lease, 'engine'>,
  { since, looks, switched, now }: Checks,
): readonly StageBlocker[] {
  if (since === undefined) return [];
  const isUnseen = ({ node, at }: Checked) =>
    !looks.some((look) => look.node.id === node) && at < since && now - at < NIGHT;
  const isSame = ({ engine }: Checked) => engine === undefined || own === undefined || isSameVersion(engine, own);
  const groups = switched.flatMap(({ node, checked }) => (checked ? [{ node, ...checked }] : []));
  const found = [...leases.flatMap(checkedUnder), ...groups].find((one) => isUnseen(one) && isSame(one));
  return found ? [{ kind: 'version-unseen', node: found.node, at: found.at, until: found.at + NIGHT }] : [];
}

interface Checks {
  readonly since?: number;
  readonly looks: readonly Look[];
  readonly switched: readonly SwitchedNode[];
  readonly now: number;
}

/** A node under defrag, and when a check of it was stored last (epoch ms). */
interface Checked {
  readonly node: string;
  readonly at: number;
  readonly engine?: Version;
}

function checkedUnder(held: HeldLease): readonly Checked[] {
  const { phase, node, progress, engine } = held.lease;
  const isOn = phase === 'running' || phase === 'taking';
  return isOn && !isQuarantined(held) ? [{ node, at: progress.at, ...(engine && { engine }) }] : [];
}
