import { StateUnavailable } from '../ports/state-store.ts';
import type { GroupLease, HeldGroup } from './lease.ts';
import { type GroupRun, write } from './run.ts';
import { type Restoration, restorationAt, SWITCH } from './values.ts';

/** The switch first: while it is on, a cycle with the prior values would take longer than was promised. A job may die in between. */
export async function sendRestoration(run: GroupRun, lease: GroupLease): Promise<Restoration> {
  const found = await restorationNow(run, lease);
  const { set, reset } = found;
  if (reset.includes(SWITCH)) await run.groups.reset(lease, reset);
  if (Object.keys(set).length > 0) await run.groups.set(lease, set);
  if (reset.length > 0 && !reset.includes(SWITCH)) await run.groups.reset(lease, reset);
  return found;
}

export async function restorationNow({ groups, ports }: GroupRun, lease: GroupLease): Promise<Restoration> {
  return restorationAt(lease, await groups.read(lease), ports.clock.now());
}

/** A store that takes no writes keeps no defrag on: the values are restored all the same, and a later job finds them so. */
export async function writeEnd(run: GroupRun, after: GroupLease, held: HeldGroup): Promise<HeldGroup> {
  try {
    return await write(run, after, held);
  } catch (error) {
    if (error instanceof StateUnavailable) await sendRestoration(run, held.lease);
    throw error;
  }
}
