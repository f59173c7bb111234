import { isNearLimit } from '../../core/config/near-limit.ts';
import type { InstanceConfig } from '../../core/config/schema.ts';
import { obstacleIn } from '../../core/diagnosis/prospect.ts';
import type { Diagnosis } from '../../core/domain/diagnosis.ts';
import { latestIn, type Outcome, problemIn } from '../../core/domain/outcome.ts';
import { bytesText, percentText, ratioText } from '../../core/format/units.ts';
import { obstacleNote } from '../../core/reporting/wording/obstacle.ts';
import type { Style, Tone } from './style.ts';
import { tableLines } from './table.ts';

/** With more nodes than this a check prints a table: the bars of forty nodes are pages. */
export const MOST_PICTURES = 3;

interface Row {
  readonly id: readonly [instance: string, node: string];
  /** Absent for a node that did not answer, and for a second address of a server: they are not in the sums. */
  readonly bytes?: { readonly rss: number; readonly used: number; readonly returnable: number };
  readonly ratio?: number | undefined;
  readonly percentOfLimit?: number;
  readonly by: string;
  readonly tone?: Tone | undefined;
}

const HEADS = ['instance', 'node', 'RSS', 'used', 'ratio', 'of limit', 'returnable', 'by'];
const FIGURES = [2, 3, 4, 5, 6];

/** One line for each node, those with the most bytes that can be returned first, and their sums. */
export function fleetLines(
  outcomes: readonly Outcome[],
  style: Style,
  instances: readonly InstanceConfig[],
): readonly string[] {
  const rows = outcomes
    .map((outcome) =>
      rowOf(
        outcome,
        instances.find(({ id }) => id === outcome.instance),
      ),
    )
    .toSorted(
      (a, b) => (b.bytes?.returnable ?? -1) - (a.bytes?.returnable ?? -1) || (b.bytes?.rss ?? 0) - (a.bytes?.rss ?? 0),
    );
  const lines = tableLines([HEADS, ...rows.map(cellsOf), totalOf(rows)], FIGURES);
  const tones: readonly (Tone | undefined)[] = ['faint', ...rows.map(({ tone }) => tone), 'strong'];
  return lines.map((line, index) => (tones[index] ? style.paint(tones[index], line) : line));
}

function rowOf(outcome: Outcome, instance: InstanceConfig | undefined): Row {
  const id = [outcome.instance, outcome.node] as const;
  const seen = latestIn(outcome);
  const { usedMemory: used, usedMemoryRss: rss } = seen?.observation.memory ?? {};
  if (!seen || used === undefined || rss === undefined)
    return { id, by: problemIn(outcome)?.message ?? 'INFO says nothing of its memory', tone: 'bad' };
  const double = outcome.notices.find((notice) => notice.kind === 'same-server');
  if (double) return { id, by: `the same server as ${double.as}`, tone: 'warning' };
  const { returnable, by } = returnableIn(seen.diagnosis);
  const limit = instance?.memoryLimit;
  return {
    id,
    bytes: { rss, used, returnable },
    ratio: seen.diagnosis.ratio,
    ...(limit !== undefined && { percentOfLimit: (rss / limit) * 100 }),
    by: outcome.leased ? 'Offpeak is defragmenting it' : by,
    tone: instance && isNearLimit(rss, instance) ? 'bad' : undefined,
  };
}

/** By the one action that a plan prefers: what both return is in part the same. */
function returnableIn({ prospects: { defrag, purge }, reclaimable }: Diagnosis): {
  readonly returnable: number;
  readonly by: string;
} {
  if (defrag.kind === 'worthwhile') return { returnable: reclaimable.defrag, by: 'active defrag' };
  if (purge.kind === 'worthwhile') return { returnable: reclaimable.purge.reclaim, by: 'MEMORY PURGE' };
  const obstacle = obstacleIn(defrag) ?? obstacleIn(purge);
  return { returnable: 0, by: obstacle ? obstacleNote(obstacle) : 'little to return' };
}

function cellsOf({ id, bytes, ratio, percentOfLimit, by }: Row): readonly string[] {
  return [
    ...id,
    ...(bytes ? [bytesText(bytes.rss), bytesText(bytes.used)] : ['', '']),
    ratio === undefined ? '' : ratioText(ratio),
    percentOfLimit === undefined ? '' : percentText(percentOfLimit),
    bytes ? bytesText(bytes.returnable) : '',
    by,
  ];
}

function totalOf(rows: readonly Row[]): readonly string[] {
  const counted = rows.flatMap(({ bytes }) => bytes ?? []);
  const sum = (figure: keyof NonNullable<Row['bytes']>) =>
    bytesText(counted.reduce((total, row) => total + row[figure], 0));
  return [
    'total',
    `${counted.length} ${counted.length === 1 ? 'server' : 'servers'}`,
    sum('rss'),
    sum('used'),
    '',
    '',
    sum('returnable'),
    '',
  ];
}
