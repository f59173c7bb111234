import { isNamed } from '../../core/config/fleet.ts';
import type { Config } from '../../core/config/schema.ts';
import type { Lease } from '../../core/domain/lease.ts';
import { problemIn } from '../../core/domain/outcome.ts';
import { holderText } from '../../core/format/holder.ts';
import { manualCommands } from '../../core/format/manual-restore.ts';
import { mayDefragAgain } from '../../core/guards/release.ts';
import type { Tick } from '../../core/reconcile/scope.ts';
import type { State } from '../../core/reconcile/snapshot.ts';
import type { CommandLine } from '../command-line.ts';

/** Where leases were looked for: which instances, and in which state. */
interface Searched {
  readonly place: string;
  readonly state: string;
}

/** Which leases are gone. */
export function releasedLines(
  wanted: readonly Lease[],
  kept: readonly Lease[],
  { place, state }: Searched,
): readonly string[] {
  if (wanted.length === 0) return [`Offpeak has no defrag on in ${place}. Searched: ${state}`];
  return wanted
    .filter(({ instance }) => !kept.some((lease) => lease.instance === instance))
    .map(({ instance, node }) => `${instance} ${node}: released, its settings are restored`);
}

/** Which ones are not, why, and what to type there: one command a line. */
export function keptLines(kept: readonly Lease[], ticks: readonly Tick[], config: Config): readonly string[] {
  return kept.flatMap((lease) => {
    const { instance, node } = lease;
    const commands = manualCommands(lease);
    const why = isNamed(lease.node, config)
      ? `${whyNot(lease, ticks)}. Its lease stays, and the next tick tries again`
      : 'the config does not name that node. Put it back into the config and release it again';
    const hand = commands === '' ? 'There is nothing to restore.' : 'By hand, on that server:';
    const typed = commands === '' ? [] : commands.split('\n').map((line) => `  ${line}`);
    return [`${instance} ${node}: NOT released: ${why}. ${hand}`, ...typed];
  });
}

function whyNot({ instance, node, holder }: Lease, ticks: readonly Tick[]): string {
  const outcomes = ticks.flatMap((tick) => tick.outcomes);
  const latest = outcomes.findLast((one) => one.instance === instance && one.node === node);
  return latest
    ? (problemIn(latest)?.message ?? `another job is working on it: ${holderText(holder)}`)
    : 'it was not tried';
}

/** The next tick of a schedule can start again what was released. */
export function adviceLines(
  wanted: readonly Lease[],
  { instances }: Config,
  { pauses }: State,
  { now, commandLine }: { readonly now: number; readonly commandLine: CommandLine },
): readonly string[] {
  const again = instances.filter(
    (instance) =>
      wanted.some((lease) => lease.instance === instance.id) &&
      !pauses.pauseOf(instance, now) &&
      mayDefragAgain(instance, now),
  );
  if (again.length === 0) return [];
  const ids = again.map(({ id }) => id);
  return [
    'A schedule that still runs may start a defrag again in an open window. To prevent that:',
    `  ${commandLine('pause', ...ids, '--for', '1d', '--reason', 'released by hand')}`,
  ];
}
