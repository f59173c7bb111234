import type { InstanceConfig } from '../../core/config/schema.ts';
import type { ActionResult } from '../../core/domain/node-history.ts';
import { bytesText, durationText, percentText, timeText } from '../../core/format/units.ts';
import type { State } from '../../core/reconcile/snapshot.ts';
import { endText } from '../../core/reporting/wording/result.ts';
import { tableLines } from './table.ts';

/** One finished action on one node. */
export interface Done extends ActionResult {
  readonly instance: string;
  readonly node: string;
  readonly action: string;
}

/** What was done on the nodes of these instances, the newest first. */
export function doneOn(instances: readonly InstanceConfig[], state: Pick<State, 'historyOf'>): readonly Done[] {
  return instances
    .flatMap(({ id, nodes }) =>
      nodes.flatMap(({ id: node }) =>
        Object.entries(state.historyOf(node).byAction).flatMap(([action, { results = [] }]) =>
          results.map((result) => ({ instance: id, node, action, ...result })),
        ),
      ),
    )
    .toSorted((a, b) => b.at - a.at);
}

const HEADS = [
  'instance',
  'node',
  'action',
  'returned',
  'predicted',
  'share',
  'RSS after',
  'stall',
  'lasted',
  'at',
  'ended',
];
const FIGURES = [3, 4, 5, 6, 7, 8];

/** A row for each run: the purge that belongs to a defrag stands below it, and is not an action of another night. */
export function doneLines(done: readonly Done[], timezone: string): readonly string[] {
  const parts = Map.groupBy(done, (one) => ownerOf(one, done));
  const rows = (parts.get(undefined) ?? []).flatMap((one) => [
    rowOf(one, timezone),
    ...(parts.get(one) ?? []).map((part) => partRow(part, timezone)),
  ]);
  const isSplit = parts.size > 1;
  return [
    ...tableLines([HEADS, ...rows], FIGURES),
    ...(isSplit ? ['', '  + purge: it belongs to the defrag above it, and its bytes are part of that row.'] : []),
  ];
}

/** The defrag that a purge belongs to: the next one to end on its node. Undefined: it stands by itself, also where that defrag is not known. */
function ownerOf({ node, partOf, at }: Done, done: readonly Done[]): Done | undefined {
  return partOf === undefined
    ? undefined
    : done.findLast((one) => one.node === node && one.action === partOf && one.at >= at);
}

function rowOf({ instance, node, action, partOf, through, ...result }: Done, timezone: string): readonly string[] {
  const after = partOf === undefined ? '' : ` after a ${partOf}`;
  const by = through === undefined ? '' : ` by the group ${through}`;
  return [instance, node, `${action}${after}${by}`, ...figures(result, timezone)];
}

function partRow({ action, ...result }: Done, timezone: string): readonly string[] {
  return ['', '', `+ ${action}`, ...figures(result, timezone)];
}

function figures(result: ActionResult, timezone: string): readonly string[] {
  const { reclaimed, predicted, rssAfter, stall, lasted, at } = result;
  return [
    bytesText(reclaimed),
    bytesText(predicted),
    predicted > 0 ? percentText((reclaimed / predicted) * 100) : '',
    bytesText(rssAfter),
    stall === undefined ? '' : durationText(stall),
    lasted === undefined ? '' : durationText(lasted),
    timeText(at, { timezone }),
    endText(result),
  ];
}
