import type { Config, InstanceConfig } from '../core/config/schema.ts';
import { type Milliseconds, SECOND } from '../core/config/units.ts';
import type { Lease } from '../core/domain/lease.ts';
import { leasesIn } from '../core/leases/lease-store.ts';
import type { Ports } from '../core/ports/ports.ts';
import { isNamed } from '../core/reconcile/displaced-leases.ts';
import type { NodeName, Tick } from '../core/reconcile/scope.ts';
import { readState, type State } from '../core/reconcile/snapshot.ts';
import { tick } from '../core/reconcile/tick.ts';

/** A job that is in the middle of a step keeps the others off for a minute at most, and may have taken a new lease by then. */
const ROUNDS = 3;
const LONGEST_WAIT: Milliseconds = 75 * SECOND;

/** Gives back what is wanted, node by node as the config reaches them. What is still held afterwards is in the state. */
export async function giveBackAll(
  config: Config,
  ports: Ports,
  wanted: readonly Lease[],
  { holder, signal, print }: { readonly holder: string; readonly signal: AbortSignal; print(tick: Tick): void },
): Promise<{ readonly ticks: readonly Tick[]; readonly state: State }> {
  const ticks: Tick[] = [];
  const remaining = () => Number.MAX_SAFE_INTEGER;
  const options = { mode: 'act', holder, remaining, release: 'released', interrupted: () => signal.aborted } as const;
  let state = await readState(ports.store);
  for (let round = 0; round < ROUNDS && !signal.aborted; round++) {
    const left = leasesIn(state).filter((lease) => isWanted(lease, wanted) && isNamed(lease, config));
    if (left.length === 0) break;
    const wait = Math.max(...left.map(({ busyUntil }) => busyUntil)) - ports.clock.now();
    if (round > 0 && wait <= 0) break;
    if (round > 0) await ports.clock.pause(Math.min(wait, LONGEST_WAIT));
    const latest = await tick(config, ports, { ...options, scope: { kind: 'nodes', nodes: placesOf(left, config) } });
    print(latest);
    ticks.push(latest);
    state = await readState(ports.store);
  }
  return { ticks, state };
}

/** A server may answer at another node of its instance by now. */
function placesOf(leases: readonly Lease[], { instances }: Config): readonly NodeName[] {
  const isIts = (instance: InstanceConfig) => (lease: Lease) =>
    lease.instance === instance.id || instance.nodes.some(({ id }) => id === lease.node);
  return instances
    .filter((instance) => leases.some(isIts(instance)))
    .flatMap((instance) => instance.nodes.map(({ id }) => ({ instance: instance.id, node: id })));
}

/** By instance: another job may have taken a new one on another node of it. */
export function isWanted({ instance }: Lease, wanted: readonly Lease[]): boolean {
  return wanted.some((lease) => lease.instance === instance);
}
