import { isNamed, nodesOf } from '../core/config/fleet.ts';
import type { Config } from '../core/config/schema.ts';
import type { Lease } from '../core/domain/lease.ts';
import { placesOf, stillHeld, waitBefore } from '../core/guards/release.ts';
import { leasesIn } from '../core/leases/lease-store.ts';
import type { Ports } from '../core/ports/ports.ts';
import type { Tick } from '../core/reconcile/scope.ts';
import { readState, type State } from '../core/reconcile/snapshot.ts';
import { tick } from '../core/reconcile/tick.ts';

/** Ends the wanted leases, node by node as the config reaches them. What is still held afterwards is in the state. */
export async function releaseAll(
  config: Config,
  ports: Ports,
  wanted: readonly Lease[],
  { holder, signal, print }: { readonly holder: string; readonly signal: AbortSignal; print(tick: Tick): void },
): Promise<{ readonly ticks: readonly Tick[]; readonly state: State }> {
  const ticks: Tick[] = [];
  const remaining = () => Number.MAX_SAFE_INTEGER;
  const options = { mode: 'act', holder, remaining, release: 'released', interrupted: () => signal.aborted } as const;
  let state = await readState(ports.store, nodesOf(config));
  for (let round = 0; !signal.aborted; round++) {
    const left = stillHeld(leasesIn(state), wanted).filter((lease) => isNamed(lease.node, config));
    const wait = waitBefore(round, left, ports.clock.now());
    if (wait === undefined) break;
    if (wait > 0) await ports.clock.pause(wait);
    const latest = await tick(config, ports, { ...options, scope: { kind: 'nodes', nodes: placesOf(left, config) } });
    print(latest);
    ticks.push(latest);
    state = await readState(ports.store, nodesOf(config));
  }
  return { ticks, state };
}
