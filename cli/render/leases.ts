import { type Outcome, planIn } from '../../core/domain/outcome.ts';
import { timeText } from '../../core/format/units.ts';
import type { Tick } from '../../core/reconcile/scope.ts';
import type { CommandLine } from '../command-line.ts';

/** A node on which Offpeak's defrag is on after a tick. */
export interface LeaseOn {
  readonly instance: string;
  readonly node: string;
  /** Epoch milliseconds at which a tick ends it at the latest; undefined where this tick could not see its lease through. */
  readonly until: number | undefined;
}

/** What a tick leaves on. */
export function leasesOn({ leased, outcomes }: Pick<Tick, 'leased' | 'outcomes'>): readonly LeaseOn[] {
  return leased.map(({ instance, node }) => {
    const outcome = outcomes.findLast((one) => one.instance === instance && one.node === node);
    return { instance, node, until: outcome && untilOf(outcome) };
  });
}

function untilOf(outcome: Outcome): number | undefined {
  if (outcome.kind === 'started') return outcome.expiresAt;
  const plan = planIn(outcome);
  if (plan?.kind === 'act') return plan.action.kind === 'start-defrag' ? plan.action.expiresAt : undefined;
  return plan?.reason === 'defragmenting' ? plan.until : undefined;
}

/** What a person can do about a defrag that is on. */
export function commandsFor({ instance }: Pick<LeaseOn, 'instance'>, commandLine: CommandLine) {
  return {
    follow: commandLine('run', '--until-idle', '-i', instance),
    release: commandLine('release', instance),
  };
}

/** For stderr: only a later tick ends what a run leaves on, and the person who typed it has to know that. */
export function leftOnLines(
  { instances, ...tick }: Pick<Tick, 'instances' | 'leased' | 'outcomes'>,
  state: string,
  commandLine: CommandLine,
): readonly string[] {
  return leasesOn(tick).flatMap((lease) => {
    const { instance, node, until } = lease;
    const timezone = instances.find(({ id }) => id === instance)?.timezone;
    const ends =
      until === undefined
        ? 'The next tick that reaches it ends it'
        : `The next tick goes on with it; a tick after ${timeText(until, { timezone })} ends it`;
    const { follow, release } = commandsFor(lease, commandLine);
    return [
      `offpeak: active defrag is still on: ${instance} ${node}. ${ends}. Its lease is in ${state}\n`,
      `  To stay until it has ended: ${follow}\n`,
      `  To end it now:              ${release}\n`,
    ];
  });
}
