import { SECOND } from '../../config/units.ts';
import type { Lease } from '../../domain/lease.ts';
import type { Observation } from '../../domain/observation.ts';
import { BUSY } from '../../domain/timings.ts';
import { type HeldLease, renewLease } from '../../leases/lease-store.ts';
import type { NodeContext } from '../context.ts';
import { paceSettings } from './ladder.ts';
import { restarted as restartedScan } from './progress.ts';

/** Longer than serverCron takes to notice the switch, at whatever `hz`. */
const NOTICED: number = SECOND / 5;

/**
 * Brings the server to the pace that the lease asks for. Level-triggered: the next check finds what a job that died has left undone. What
 * a person has set meanwhile stays.
 */
export async function repace(context: NodeContext, held: HeldLease, observation: Observation): Promise<void> {
  const { lease } = held;
  const { settings = {} } = observation.defrag;
  const wanted = paceSettings(lease, lease.progress.pace?.level ?? 0, settings);
  if (Object.keys(wanted).length === 0 || settings.activedefrag !== 'yes') return;
  const { engine } = observation;
  const atomic = engine.atomicConfigSet;
  if (engine.cpuOnlyRises && isGentler(wanted, settings)) await restarted(context, held, wanted, atomic);
  else await context.session.configure(wanted, { atomic });
}

function isGentler(wanted: Readonly<Record<string, string>>, settings: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).some(([name, value]) => Number(value) < Number(settings[name]));
}

/** Within a scan the CPU share of these engines can only rise: a new scan begins with the lower one. */
async function restarted(
  { session, ports, holder }: NodeContext,
  held: HeldLease,
  wanted: Readonly<Record<string, string>>,
  atomic: boolean,
): Promise<void> {
  const busy: Lease = { ...held.lease, holder, busyUntil: ports.clock.now() + BUSY, repacing: true };
  const renewed = await renewLease(ports.store, held, busy);
  if (!renewed) return;
  const { repacing: _, ...lease } = { ...busy, busyUntil: 0 };
  const off = await session.configure({ ...wanted, activedefrag: 'no' }, { atomic });
  // A person has switched it off since the check: it stays off, and the next check reports it.
  if (off.found.activedefrag !== 'yes') return void (await renewLease(ports.store, renewed, lease));
  await ports.clock.sleep(NOTICED);
  const on = await session.configure({ activedefrag: 'yes' }, { atomic });
  const progress = restartedScan(lease.progress, ports.clock.now());
  // What the server refuses to switch on again is off by this job: `repacing` stays.
  await renewLease(ports.store, renewed, on.done ? { ...lease, progress } : { ...busy, busyUntil: 0 });
}
