import type { Config } from '../core/config/schema.ts';
import { covers } from '../core/domain/pause.ts';
import { RELEASE_WAIT } from '../core/domain/timings.ts';
import { type GroupLease, groupKey, readGroupLeases } from '../core/managed/lease.ts';
import type { Ports } from '../core/ports/ports.ts';
import { type StateStore, StateUnavailable } from '../core/ports/state-store.ts';
import type { Tick } from '../core/reconcile/scope.ts';
import { tick } from '../core/reconcile/tick.ts';

/** AWS takes up to some minutes to apply a group; its lease stands until then, and a later tick drops it. */
const ROUNDS = 3;

/** The leases on parameter groups of the named instances; all without a name. @throws {StateUnavailable} also for one that cannot be read */
export async function chosenGroups(store: StateStore, ids: readonly string[]): Promise<readonly GroupLease[]> {
  const held = await readGroupLeases(store, (_, why) => {
    throw new StateUnavailable(why);
  });
  const isChosen = ({ nodes }: GroupLease) =>
    ids.length === 0 || nodes.some(({ instance }) => ids.some((id) => covers(id, instance)));
  return held.map(({ lease }) => lease).filter(isChosen);
}

interface Means {
  readonly holder: string;
  readonly signal: AbortSignal;
  print(tick: Tick): void;
}

/** Restores the groups, and returns one line for each; `isDone`: every prior value is set again. */
export async function releaseGroups(
  config: Config,
  ports: Ports,
  wanted: readonly GroupLease[],
  { holder, signal, print }: Means,
): Promise<{ readonly lines: readonly string[]; readonly isDone: boolean }> {
  if (wanted.length === 0) return { lines: [], isDone: true };
  const nodes = wanted.flatMap((lease) => lease.nodes.map(({ instance, node }) => ({ instance, node })));
  const remaining = () => Number.MAX_SAFE_INTEGER;
  let left = wanted;
  let said: readonly string[] = [];
  for (let round = 0; round < ROUNDS && left.length > 0 && !signal.aborted; round++) {
    if (round > 0) await ports.clock.pause(waitFor(left, ports.clock.now()));
    const scope = { kind: 'nodes', nodes } as const;
    const latest = await tick(config, ports, { mode: 'act', holder, remaining, release: 'released', scope });
    print(latest);
    said = latest.remarks;
    left = await stillLeft(ports.store, wanted);
  }
  const isLeft = (lease: GroupLease) => left.some((one) => groupKey(one) === groupKey(lease));
  const released = wanted
    .filter((lease) => !isLeft(lease))
    .map(({ group }) => `parameter group ${group}: released, its prior values are set again`);
  const open = left.filter(({ phase }) => phase !== 'settling');
  const lines = left.map((lease) =>
    lease.phase === 'settling'
      ? `parameter group ${lease.group}: its prior values are set again; its lease stands until AWS has applied them`
      : `parameter group ${lease.group}: NOT released; the next tick tries again: ${said.find((line) => line.includes(lease.group)) ?? 'its nodes are not in the config'}`,
  );
  return { lines: [...released, ...lines], isDone: open.length === 0 };
}

async function stillLeft(store: StateStore, wanted: readonly GroupLease[]): Promise<readonly GroupLease[]> {
  const held = await readGroupLeases(store);
  return held.map(({ lease }) => lease).filter((lease) => wanted.some((one) => groupKey(one) === groupKey(lease)));
}

/** Another job that is working on it, else AWS, which applies it in some seconds. */
function waitFor(left: readonly GroupLease[], now: number): number {
  const busy = Math.max(...left.map(({ busyUntil }) => busyUntil)) - now;
  return Math.min(RELEASE_WAIT, Math.max(2_000, busy));
}
