import type { InstanceConfig } from '../../core/config/schema.ts';
import { latestIn, type Outcome, planIn, problemIn } from '../../core/domain/outcome.ts';
import type { Plan } from '../../core/domain/plan.ts';
import { bytesText } from '../../core/format/units.ts';
import { planBrief } from '../../core/reporting/wording/plan.ts';
import type { Style, Tone } from './style.ts';
import { tableLines } from './table.ts';

const HEADS = ['instance', 'node', 'RSS', 'predicted', 'plan'];
const FIGURES = [2, 3];

/** One line for each node: what is done first, then what would be if the circumstances allowed it, by predicted bytes; then their sums. */
export function planTable(
  outcomes: readonly Outcome[],
  { paint }: Style,
  instances: readonly InstanceConfig[],
): readonly string[] {
  const sorted = outcomes.toSorted((a, b) => rankOf(b) - rankOf(a) || predictedIn(b) - predictedIn(a));
  const rows = sorted.map((outcome) => cellsOf(outcome, instances));
  const tones: readonly (Tone | undefined)[] = ['faint', ...sorted.map(toneOf), 'strong'];
  return tableLines([HEADS, ...rows, totalCells(outcomes)], FIGURES).map((line, index) =>
    tones[index] ? paint(tones[index], line) : line,
  );
}

function rankOf(outcome: Outcome): number {
  if (problemIn(outcome)) return 0;
  const plan = planIn(outcome);
  if (plan?.kind === 'act') return 3;
  return plan?.instead ? 2 : 1;
}

function toneOf(outcome: Outcome): Tone | undefined {
  if (problemIn(outcome)) return 'bad';
  return planIn(outcome)?.kind === 'act' ? 'strong' : undefined;
}

function predictionIn(plan: Plan | undefined) {
  return plan?.kind === 'act' ? plan.predicted : plan?.instead?.predicted;
}

function predictedIn(outcome: Outcome): number {
  return predictionIn(planIn(outcome))?.reclaim ?? 0;
}

function rssIn(outcome: Outcome): number | undefined {
  return latestIn(outcome)?.observation.memory.usedMemoryRss;
}

function cellsOf(outcome: Outcome, instances: readonly InstanceConfig[]): readonly string[] {
  const { instance, node } = outcome;
  const timezone = instances.find(({ id }) => id === instance)?.timezone;
  const plan = planIn(outcome);
  const [rss, predicted] = [rssIn(outcome), predictionIn(plan)?.reclaim];
  const what = problemIn(outcome)?.message ?? (plan ? planBrief(plan, timezone) : '');
  return [instance, node, rss === undefined ? '' : bytesText(rss), predicted ? bytesText(predicted) : '', what];
}

/** Only of what is done now: what waits may never come. */
function totalCells(outcomes: readonly Outcome[]): readonly string[] {
  const acting = outcomes.filter((outcome) => rankOf(outcome) === 3);
  const waiting = outcomes.filter((outcome) => rankOf(outcome) === 2).length;
  const sum = (figure: (outcome: Outcome) => number | undefined, some: readonly Outcome[]) =>
    bytesText(some.reduce((total, one) => total + (figure(one) ?? 0), 0));
  const count = `${outcomes.length} ${outcomes.length === 1 ? 'node' : 'nodes'}`;
  const now = acting.length === 0 ? 'nothing to do now' : `${acting.length} to be acted on now`;
  const said = `${now}${waiting > 0 ? `, ${waiting} wait` : ''}`;
  return ['total', count, sum(rssIn, outcomes), acting.length === 0 ? '' : sum(predictedIn, acting), said];
}
