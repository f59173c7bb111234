import { traitsOf } from '../../core/actions/defrag/stop-reasons.ts';
import { MIB } from '../../core/config/units.ts';
import { type Outcome, planIn, stepsOf, verdictIn } from '../../core/domain/outcome.ts';
import type { StopReason } from '../../core/domain/plan.ts';
import type { Verdict } from '../../core/domain/verdict.ts';
import { fixed, markdownTable, spread } from '../statistics.ts';
import { reasonsOf } from '../support/offpeak.ts';

/** One action: its prediction, and its result. Bytes and milliseconds. */
export interface ActionRun {
  readonly name: Verdict['action'];
  readonly predicted: number;
  readonly returned: number;
  readonly predictedMs?: number;
  /** Absent where the server refused the figures. */
  readonly measuredMs?: number;
  /** Of a defrag: from the switch to its end, in seconds. */
  readonly predictedSeconds?: number;
  readonly lastedSeconds?: number;
  /** Why a defrag did not come to its own end: what it returned says how early that was, not what was predicted wrongly. */
  readonly cutOff?: StopReason;
}

/** One run on one server. */
export interface Night {
  readonly shape: string;
  /** `first`: nothing is known of the node; `second`: what the first has taught. */
  readonly run: string;
  readonly actions: readonly ActionRun[];
  /** Why nothing was done, where nothing was. */
  readonly reasons: string;
}

export function nightOf(shape: string, run: string, outcomes: readonly Outcome[]): Night {
  return { shape, run, actions: outcomes.flatMap(stepsOf).flatMap(actionOf), reasons: reasonsOf(outcomes) };
}

function actionOf(step: Outcome): readonly ActionRun[] {
  const [verdict, plan] = [verdictIn(step), planIn(step)];
  if (!verdict) return [];
  const { action, predicted, reclaimed, stall, unmeasured, lasted } = verdict;
  const duration = plan?.kind === 'act' ? plan.predicted.duration : undefined;
  const stop = step.kind === 'stopped' ? step.plan.action.because : undefined;
  return [
    {
      name: action,
      predicted,
      returned: reclaimed,
      ...(plan?.kind === 'act' && { predictedMs: plan.predicted.stall }),
      ...(!unmeasured && { measuredMs: stall }),
      ...(action === 'defrag' && duration !== undefined && { predictedSeconds: duration / 1000 }),
      ...(action === 'defrag' && lasted !== undefined && { lastedSeconds: lasted / 1000 }),
      ...(stop && !traitsOf(stop).teaches && { cutOff: stop }),
    },
  ];
}

/** Returned ÷ predicted; absent where nothing was predicted, or what was did not come to its end. */
function shareOf({ predicted, returned, cutOff }: ActionRun): number | undefined {
  return predicted > 0 && !cutOff ? returned / predicted : undefined;
}

/** Measured ÷ predicted milliseconds, those included for which a run was cut off. */
function stallShareOf({ predictedMs, measuredMs }: ActionRun): number | undefined {
  return predictedMs && measuredMs !== undefined ? measuredMs / predictedMs : undefined;
}

/** Measured ÷ predicted seconds of runs that came to their end. */
function timeShareOf({ predictedSeconds, lastedSeconds, cutOff }: ActionRun): number | undefined {
  return predictedSeconds && lastedSeconds !== undefined && !cutOff ? lastedSeconds / predictedSeconds : undefined;
}

const COLUMNS = [
  ...['data', 'run', 'action', 'predicted MiB', 'returned MiB', 'returned ÷ predicted'],
  ...['predicted ms', 'measured ms', 'predicted s', 'measured s'],
];
const WORDS = 3;

/** A row for each action of each run; of several repeats their medians, with the lowest and the highest. */
export function singleRows(nights: readonly Night[], repeats: number): string {
  const groups = Map.groupBy(nights, ({ shape, run }) => `${shape}\n${run}`);
  const rows = [...groups.values()].flatMap((same) => {
    const [{ shape, run } = { shape: '', run: '' }] = same;
    const actions = Map.groupBy(
      same.flatMap((night) => night.actions),
      ({ name, cutOff }) => (cutOff ? `${name}, ${cutOff}` : name),
    );
    const none = [`none: ${[...new Set(same.map(({ reasons }) => reasons))].join('; ')}`, '', '', '', '', '', '', ''];
    const measured = [...actions].map(([name, of]) => [nameOf(name, of.length, repeats), ...figures(of)]);
    return (measured.length > 0 ? measured : [none]).map((cells) => [shape, run, ...cells]);
  });
  return markdownTable([COLUMNS, ...rows], WORDS);
}

function nameOf(name: string, times: number, repeats: number): string {
  return times === repeats ? name : `${name} (${times} in ${repeats})`;
}

function figures(actions: readonly ActionRun[]): readonly string[] {
  const of = (figure: (action: ActionRun) => number | undefined, digits: number) =>
    spreadText(known(actions, figure), digits);
  return [
    of(({ predicted }) => predicted / MIB, 0),
    of(({ returned }) => returned / MIB, 0),
    of(shareOf, 2),
    of(({ predictedMs }) => predictedMs, 1),
    of(({ measuredMs }) => measuredMs, 1),
    of(({ predictedSeconds }) => predictedSeconds, 1),
    of(({ lastedSeconds }) => lastedSeconds, 1),
  ];
}

/** `1.03`, and of several `1.03 [0.98 to 1.10]`. */
function spreadText(values: readonly number[], digits: number): string {
  if (values.length === 0) return '';
  const { lowest, median, highest } = spread(values);
  const text = fixed(median, digits);
  return values.length === 1 ? text : `${text} [${fixed(lowest, digits)} to ${fixed(highest, digits)}]`;
}

/** A purge below this returns a few MiB more or less than it says: a ratio to little is large without being much. */
const SMALL = 20 * MIB;

/** How far a prediction is to be trusted, over all data, runs and repeats: lowest, median and highest for each action. */
export function intervalRows(nights: readonly Night[]): string {
  const actions = nights.flatMap((night) => night.actions);
  const purges = actions.filter(({ name }) => name === 'purge');
  const later = nights.filter(({ run }) => run !== 'first').flatMap((night) => night.actions);
  const kinds: readonly (readonly [string, readonly ActionRun[]])[] = [
    ['defrag', actions.filter(({ name }) => name === 'defrag')],
    ['defrag, from the second night on', later.filter(({ name }) => name === 'defrag')],
    ['purge', purges],
    [`purge, of ${SMALL / MIB} MiB and more`, purges.filter(({ predicted }) => predicted >= SMALL)],
  ];
  const head = (what: string) => [`${what}: lowest`, 'median', 'highest'];
  return markdownTable([
    [
      ...['action', 'cases', 'cut off'],
      ...['returned ÷ predicted', 'measured ÷ predicted ms', 'measured ÷ predicted s'].flatMap(head),
    ],
    ...kinds.map(([name, of]) => [name, ...counts(of), ...FIGURES.flatMap((figure) => interval(of, figure))]),
  ]);
}

const FIGURES = [shareOf, stallShareOf, timeShareOf] as const;

function counts(actions: readonly ActionRun[]): readonly string[] {
  return [actions.length, actions.filter(({ cutOff }) => cutOff).length].map(String);
}

function interval(actions: readonly ActionRun[], figure: (action: ActionRun) => number | undefined): readonly string[] {
  const values = known(actions, figure);
  if (values.length === 0) return ['', '', ''];
  const { lowest, median, highest } = spread(values);
  return [lowest, median, highest].map((value) => fixed(value, 2));
}

function known(actions: readonly ActionRun[], figure: (action: ActionRun) => number | undefined): readonly number[] {
  return actions.map(figure).filter((value) => value !== undefined);
}
