import { isNearLimit } from '../../core/config/near-limit.ts';
import type { InstanceConfig } from '../../core/config/schema.ts';
import { latestIn, type Outcome, problemIn } from '../../core/domain/outcome.ts';
import { bytesText, percentText, ratioText } from '../../core/format/units.ts';
import { type Figures, figuresOf, totalsOf } from './returnable.ts';
import type { Style, Tone } from './style.ts';
import { tableLines } from './table.ts';

/** With more nodes than this a check prints a table: the bars of forty nodes are pages. */
export const MOST_PICTURES = 3;

interface Row {
  readonly figures: Figures | undefined;
  readonly cells: readonly string[];
  readonly tone: Tone | undefined;
}

const HEADS = ['instance', 'node', 'RSS', 'used', 'ratio', 'of limit', 'returnable', 'by'];
const FIGURES = [2, 3, 4, 5, 6];

/** One line for each node, those with the most bytes that can be returned first, and their sums. */
export function fleetLines(
  outcomes: readonly Outcome[],
  style: Style,
  instances: readonly InstanceConfig[],
): readonly string[] {
  const instanceOf = (outcome: Outcome) => instances.find(({ id }) => id === outcome.instance);
  const rows = outcomes
    .map((outcome) => rowOf(outcome, instanceOf(outcome)))
    .toSorted(({ figures: a }, { figures: b }) => rank(b) - rank(a) || (b?.rss ?? 0) - (a?.rss ?? 0));
  const lines = tableLines([HEADS, ...rows.map(({ cells }) => cells), totalCells(outcomes)], FIGURES);
  const tones: readonly (Tone | undefined)[] = ['faint', ...rows.map(({ tone }) => tone), 'strong'];
  return lines.map((line, index) => (tones[index] ? style.paint(tones[index], line) : line));
}

function rank(figures: Figures | undefined): number {
  return figures?.returnable ?? -1;
}

function rowOf(outcome: Outcome, instance: InstanceConfig | undefined): Row {
  const { instance: id, node } = outcome;
  const figures = figuresOf(outcome);
  if (!figures) {
    const double = outcome.notices.find((notice) => notice.kind === 'same-server');
    const why = double ? `the same server as ${double.as}` : problemIn(outcome)?.message;
    const cells = [id, node, '', '', '', '', '', why ?? 'INFO says nothing of its memory'];
    return { figures, cells, tone: double ? 'warning' : 'bad' };
  }
  const { rss, used, returnable, by } = figures;
  const ratio = latestIn(outcome)?.diagnosis.ratio;
  const limit = instance?.memoryLimit;
  const cells = [
    id,
    node,
    rss === undefined ? '' : bytesText(rss),
    used === undefined ? '' : bytesText(used),
    ratio === undefined ? '' : ratioText(ratio),
    limit === undefined || rss === undefined ? '' : percentText((rss / limit) * 100),
    bytesText(returnable),
    by,
  ];
  return { figures, cells, tone: instance && rss !== undefined && isNearLimit(rss, instance) ? 'bad' : undefined };
}

function totalCells(outcomes: readonly Outcome[]): readonly string[] {
  const { servers, rss, used, returnable } = totalsOf(outcomes);
  const count = `${servers} ${servers === 1 ? 'server' : 'servers'}`;
  return ['total', count, bytesText(rss), bytesText(used), '', '', bytesText(returnable), ''];
}
