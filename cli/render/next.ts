import { isHealthy } from '../../core/diagnosis/diagnose.ts';
import { latestIn, planIn } from '../../core/domain/outcome.ts';
import { bytesText } from '../../core/format/units.ts';
import type { Tick } from '../../core/reconcile/scope.ts';
import { commandLineFor, commandText, typedAgain } from '../command-line.ts';
import type { CommonOptions, PlaceOptions } from '../options.ts';
import { totalsOf } from './returnable.ts';

// The line below a check or a plan: what to type next. Undefined: nothing is left to do, or the message above says it.

type Options = PlaceOptions & Pick<CommonOptions, 'instance'>;
type Seen = Pick<Tick, 'instances' | 'outcomes'>;

/** After a check of servers that were named by their addresses. */
export function nextWithout(
  addresses: readonly string[],
  { outcomes }: Seen,
  options: Parameters<typeof typedAgain>[1] = {},
): string | undefined {
  const typed = typedAgain(addresses, options);
  const { returnable } = totalsOf(outcomes);
  if (returnable > 0)
    return `to get ${bytesText(returnable)} back in a window, write a config: ${commandText('init', ...typed, '-o', 'config/prod.yml')}`;
  return hasFindings(outcomes) ? `what to change there: ${commandText('audit', ...typed)}` : undefined;
}

/** After a check of a config. */
export function nextAfterCheck({ outcomes }: Seen, options: Options): string | undefined {
  const commandLine = commandLineFor(options, options.instance);
  if (totalsOf(outcomes).returnable > 0) return `what Offpeak would do about it now, and why: ${commandLine('plan')}`;
  return hasFindings(outcomes) ? `what to change there: ${commandLine('audit')}` : undefined;
}

function hasFindings(outcomes: Seen['outcomes']): boolean {
  return outcomes.some((outcome) => {
    const seen = latestIn(outcome);
    return seen !== undefined && !isHealthy(seen.diagnosis);
  });
}

/** After a plan for now. */
export function nextAfterPlan({ outcomes, instances }: Seen, options: Options): string | undefined {
  const plans = outcomes.map((outcome) => ({ instance: outcome.instance, plan: planIn(outcome) }));
  if (plans.some(({ plan }) => plan?.kind === 'act'))
    return `to do it now, until all is restored: ${commandLineFor(options, options.instance)('run', '--until-idle')}`;
  const closed = plans.filter(({ plan }) => plan?.kind === 'skip' && plan.instead && OUTSIDE.includes(plan.reason));
  const ids = [...new Set(closed.map(({ instance }) => instance))];
  const [first] = ids;
  if (first === undefined) return undefined;
  const hasWindow = instances.some(({ id, windows }) => ids.includes(id) && windows.length > 0);
  const later = hasWindow ? 'a run or the schedule does it in the window' : 'add a window to the config';
  return `${later}. Not to wait for it: ${commandLineFor(options, ids.length > MOST_IDS ? options.instance : ids)('run', '--now')}`;
}

const OUTSIDE: readonly string[] = ['outside-window', 'holiday'];
/** Of more, all are meant that were asked for; `--now` names them and asks. */
const MOST_IDS = 5;

/** To stdout, where people read it. */
export function sayNext(next: string | undefined): void {
  if (next !== undefined) process.stdout.write(`Next: ${next}\n`);
}
