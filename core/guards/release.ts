import type { Config, InstanceConfig } from '../config/schema.ts';
import type { Milliseconds } from '../config/units.ts';
import type { Lease } from '../domain/lease.ts';
import { covers } from '../domain/pause.ts';
import { RELEASE_WAIT } from '../domain/timings.ts';
import { windowAt } from './window.ts';

// Which leases a release ends, where their servers may be, and how long it waits for another job.

/** The leases of the named instances and of their shards; of all without a name. An instance may have had another name when its lease was taken. */
export function chosenLeases(held: readonly Lease[], ids: readonly string[], { instances }: Config): readonly Lease[] {
  const nodes = instances.filter(({ id }) => ids.some((one) => covers(one, id))).flatMap((instance) => instance.nodes);
  const isChosen = ({ instance, node }: Lease) =>
    ids.some((id) => covers(id, instance)) || nodes.some(({ id }) => id === node);
  return held.filter((lease) => ids.length === 0 || isChosen(lease));
}

/** Those of `held` that are still to be ended. By instance: another job may have taken a new one on another node of it. */
export function stillHeld(held: readonly Lease[], wanted: readonly Lease[]): readonly Lease[] {
  return held.filter(({ instance }) => wanted.some((lease) => lease.instance === instance));
}

/** The nodes on which these leases may be found: a server may answer at another node of its instance by now. */
export function placesOf(
  leases: readonly Lease[],
  { instances }: Config,
): readonly { readonly instance: string; readonly node: string }[] {
  const isIts = (instance: InstanceConfig) => (lease: Lease) =>
    lease.instance === instance.id || instance.nodes.some(({ id }) => id === lease.node);
  return instances
    .filter((instance) => leases.some(isIts(instance)))
    .flatMap((instance) => instance.nodes.map(({ id }) => ({ instance: instance.id, node: id })));
}

/** Another job may have taken a new lease by then. */
const ROUNDS = 3;

/**
 * How long to wait before these leases are tried in this round, from 0; undefined: no more. After the first round only a job that works on
 * one of them is a reason to try again.
 */
export function waitBefore(round: number, left: readonly Lease[], now: number): Milliseconds | undefined {
  if (left.length === 0 || round >= ROUNDS) return undefined;
  if (round === 0) return 0;
  const busy = Math.max(...left.map(({ busyUntil }) => busyUntil)) - now;
  return busy > 0 ? Math.min(busy, RELEASE_WAIT) : undefined;
}

/** Whether a schedule that still runs may start a defrag there again, as far as the config says. */
export function mayDefragAgain({ defrag, windows, timezone, holidays }: InstanceConfig, now: number): boolean {
  if (!defrag.enabled || timezone === undefined) return false;
  const window = windowAt(windows, timezone, now, holidays);
  return window.open || window.nextOpening !== undefined;
}
