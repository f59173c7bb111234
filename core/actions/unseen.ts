import type { StageBlocker } from '../domain/blocker.ts';
import type { Lease } from '../domain/lease.ts';
import { NIGHT } from '../guards/canary.ts';
import { type HeldLease, isQuarantined } from '../leases/lease-store.ts';
import type { Look } from './outages.ts';

/**
 * A server under defrag that no worker has checked in this tick: it may have gone down, and its version would get no defrag then. Messages
 * come in any order, so that a worker may be ahead of the one that has this node. Each check of a running defrag is stored in its lease
 * (`progress.at`). A lease that is being ended does not count, since its last checks are not stored; nor does one that had no check for a
 * night: by then its version is tried again.
 *
 * @param since when the dispatch began this tick (epoch ms); absent where one job has all nodes
 * @param looks what this worker has checked itself
 */
export function unseenBlockers(
  leases: readonly HeldLease[],
  { engine: own }: Pick<Lease, 'engine'>,
  { since, looks, now }: { readonly since?: number; readonly looks: readonly Look[]; readonly now: number },
): readonly StageBlocker[] {
  if (since === undefined) return [];
  const isUnseen = ({ phase, node, progress: { at } }: Lease) =>
    (phase === 'running' || phase === 'taking') &&
    !looks.some((look) => look.node.id === node) &&
    at < since &&
    now - at < NIGHT;
  const isSame = ({ engine }: Lease) =>
    engine === undefined || own === undefined || (engine.name === own.name && engine.version === own.version);
  const found = leases.find((held) => !isQuarantined(held) && isUnseen(held.lease) && isSame(held.lease));
  if (!found) return [];
  const { node, progress } = found.lease;
  return [{ kind: 'version-unseen', node, at: progress.at, until: progress.at + NIGHT }];
}
