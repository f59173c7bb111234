import type { Config, InstanceConfig } from '../../core/config/schema.ts';
import type { Lease } from '../../core/domain/lease.ts';
import { problemIn } from '../../core/domain/outcome.ts';
import { windowAt } from '../../core/guards/window.ts';
import { isNamed, manualCommands } from '../../core/reconcile/displaced-leases.ts';
import type { Tick } from '../../core/reconcile/scope.ts';
import type { State } from '../../core/reconcile/snapshot.ts';

/** Which leases are gone. */
export function releasedLines(wanted: readonly Lease[], kept: readonly Lease[]): readonly string[] {
  if (wanted.length === 0) return ['no lease is held: there is nothing to give back'];
  return wanted
    .filter(({ instance }) => !kept.some((lease) => lease.instance === instance))
    .map(({ instance, node }) => `${instance} ${node}: given back`);
}

/** Which ones are not, why, and what to type there. */
export function keptLines(kept: readonly Lease[], ticks: readonly Tick[], config: Config): readonly string[] {
  return kept.map((lease) => {
    const { instance, node } = lease;
    const typed = manualCommands(lease);
    const hand = typed === '' ? 'there is nothing to restore' : `by hand, on that server: ${typed}`;
    const why = isNamed(lease, config)
      ? `${whyNot(lease, ticks)}; its lease stays, and the next tick tries again`
      : 'the config does not name that node; put it back and release it again';
    return `${instance} ${node}: NOT given back: ${why}; ${hand}`;
  });
}

function whyNot({ instance, node }: Lease, ticks: readonly Tick[]): string {
  const outcomes = ticks.flatMap((tick) => tick.outcomes);
  const latest = outcomes.findLast((one) => one.instance === instance && one.node === node);
  return latest ? (problemIn(latest)?.message ?? 'another job is at work on it') : 'it was not tried';
}

/** A lease that was given back can be taken again by the next tick of a schedule. */
export function adviceLines(
  wanted: readonly Lease[],
  { instances }: Config,
  { pauses }: State,
  now: number,
): readonly string[] {
  const again = instances.filter(
    (instance) =>
      wanted.some((lease) => lease.instance === instance.id) &&
      !pauses.pauseOf(instance, now) &&
      mayDefragAgain(instance, now),
  );
  if (again.length === 0) return [];
  const ids = again.map(({ id }) => id).join(' ');
  return [
    `A schedule that still runs may start again in an open window. To keep it from that: offpeak pause ${ids} --for 1d --reason "…"`,
  ];
}

function mayDefragAgain({ defrag, windows, timezone, holidays }: InstanceConfig, now: number): boolean {
  if (!defrag.enabled || timezone === undefined) return false;
  const window = windowAt(windows, timezone, now, holidays);
  return window.open || window.nextOpening !== undefined;
}
