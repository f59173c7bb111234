import { cpuSeconds, type Ended, infoOf, settled } from '../../cli/lab/at-rest.ts';
import type { ServerBinary } from '../../cli/lab/binary.ts';
import { restartFloor, rssOf } from '../../cli/lab/floor.ts';
import type { Shape } from '../../cli/lab/shapes.ts';
import { MIB } from '../../core/config/units.ts';
import { countedText, fixed, markdownTable, median } from '../statistics.ts';
import { watchActions } from '../support/action-times.ts';
import { type Latencies, latenciesIn, monotonic } from '../support/latencies.ts';
import { probed } from '../support/probing.ts';
import { type Prepared, prepared } from '../support/server.ts';
import { NOTHING, OWN, type Variant } from './variants.ts';

/** The result of one variant on one server. */
interface Cell extends Latencies {
  /** For how long a defragger was running. */
  readonly defragging: number;
  /** Of the server's process, in seconds, and over how many seconds: serving the client is included. */
  readonly cpu: number;
  readonly lasted: number;
  /** Bytes: RSS before, and after the allocator has come to rest. */
  readonly before: number;
  readonly after: number;
  /** Of a fresh server with the same data: what a restart would have left. */
  readonly floor: number;
  /** By the server's own LATENCY, where the variant reads it. */
  readonly worstStall?: number;
  readonly ended?: Ended;
}

export async function measure(binary: ServerBinary, shape: Shape, variant: Variant, megabytes: number): Promise<Cell> {
  await using ready = await prepared(binary, (redis) => shape.build(redis, megabytes));
  const before = await rssOf(ready.redis);
  const cpuBefore = cpuSeconds(await infoOf(ready.redis));
  const from = monotonic();
  const { result, samples } = await probed(ready.server.port, () => watched(ready, variant));
  const lasted = (monotonic() - from) / 1_000_000;
  const cpu = cpuSeconds(await infoOf(ready.redis)) - cpuBefore;
  await settled(ready.redis);
  const after = await rssOf(ready.redis);
  const floor = await restartFloor(binary, ready.redis);
  const { ran, spans, defragging } = result;
  return { ...latenciesIn(spans, samples), ...ran, defragging, cpu, lasted, floor, before, after };
}

/** What the variant itself reports, and what was observed from outside while it ran. */
async function watched(ready: Prepared, variant: Variant) {
  await using watch = watchActions(ready.server);
  const from = monotonic();
  const ran = await variant.run(ready);
  const whole = { from, to: monotonic() };
  const { spans, defragging } = await watch.stop();
  // For a variant that finds nothing to do, the whole time counts.
  return { ran, defragging, spans: variant.counts === 'action' && spans.length > 0 ? spans : [whole] };
}

const FIGURES = [
  ...(['p50', 'p99', 'p999', 'max', 'count'] as const),
  ...(['defragging', 'cpu', 'lasted', 'before', 'after', 'floor'] as const),
] as const;

export type Medians = ReturnType<typeof medians>;

/** Each figure by itself: the median run of one is not that of another. */
export function medians(cells: readonly Cell[]) {
  const of = (figure: (cell: Cell) => number) => median(cells.map(figure));
  const figures = FIGURES.map((name) => [name, of((cell) => cell[name])] as const);
  const stalls = cells.flatMap(({ worstStall }) => worstStall ?? []);
  return {
    ...(Object.fromEntries(figures) as Record<(typeof FIGURES)[number], number>),
    returned: of(({ before, after }) => before - after),
    /** Of what a restart on the same data would have returned. */
    share: of(({ before, after, floor }) => (before - after) / (before - floor)),
    ...(stalls.length > 0 && { worstStall: median(stalls) }),
    /** Of each run. */
    ended: cells.flatMap(({ ended }) => ended ?? []),
  };
}

export interface Row {
  readonly variant: Variant;
  readonly cell: Medians;
}

/** Times the promise: how far the 99.9th percentile may be above that of the idle server. */
const TOLERANCE = 1.2;

/** The results of each variant, and their ratios to Redis' own defragger. */
export function tablesOf(rows: readonly Row[]): string {
  const own = cellOf(rows, OWN);
  const idle = cellOf(rows, NOTHING);
  const ratios = rows.flatMap(({ variant, cell }) =>
    variant === OWN || !own ? [] : [[variant.name, ...ratiosTo(own, cell, idle)]],
  );
  const head = ['÷ (a)', 'p50', 'p99', 'p99.9', 'max', 'time', 'CPU', 'RSS returned'];
  return [
    markdownTable([COLUMNS, ...rows.map((row) => [row.variant.name, ...figures(row, idle)])]),
    markdownTable([head, ...ratios]),
  ].join('\n\n');
}

/** RSS without an action, and the floor: no action can return more than the difference. */
export function floorText(cells: readonly Pick<Medians, 'before' | 'floor'>[]): string {
  const [before, floor] = (['before', 'floor'] as const).map((name) => mib(median(cells.map((cell) => cell[name]))));
  return `RSS ${before} before, ${floor} of a fresh server with the same data`;
}

const COLUMNS = [
  ...['', 'requests', 'p50 ms', 'p99', 'p99.9', 'max', 'beyond idle p99.9', 'LATENCY ms'],
  ...['defrag s', 'ended', 'CPU s', 'RSS returned', 'share of a restart'],
];

function figures({ variant: { maxStall }, cell }: Row, idle: Medians | undefined): readonly string[] {
  const { p50, p99, p999, max, count, worstStall, defragging, returned, share } = cell;
  return [
    `${Math.round(count)}`,
    p50.toFixed(2),
    ...[p99, p999, max].map((figure) => figure.toFixed(1)),
    maxStall === undefined || !idle ? '' : beyond(p999 - idle.p999, maxStall),
    worstStall === undefined ? '' : `${worstStall}`,
    defragging === 0 ? '' : defragging.toFixed(1),
    countedText(
      cell.ended.map(({ because }) => because),
      ', ',
    ),
    costOf(cell, idle).toFixed(2),
    mib(returned),
    fixed(share, 2),
  ];
}

function ratiosTo(own: Medians, cell: Medians, idle: Medians | undefined): readonly string[] {
  const isComparable = isWhole(cell) && isWhole(own);
  return [
    ...(['p50', 'p99', 'p999', 'max'] as const).map((figure) => ratio(cell[figure], own[figure])),
    isComparable ? ratio(cell.defragging, own.defragging) : '',
    ratio(costOf(cell, idle), costOf(own, idle)),
    ratio(cell.returned, own.returned),
  ];
}

/** Empty where there is nothing to divide by. */
function ratio(value: number, to: number): string {
  return to > 0 ? fixed(value / to, 2) : '';
}

/** In bold, with a word, where it exceeds the promise. */
function beyond(ms: number, maxStall: number): string {
  const text = `${fixed(ms, 1)} of ${maxStall}`;
  return ms > TOLERANCE * maxStall ? `**${text}: over**` : text;
}

/** Runs differ in length and serve the client all the time: the cost of the same time at idle is not that of the action. */
function costOf({ cpu, lasted }: Medians, idle: Medians | undefined): number {
  return Math.max(0, cpu - (idle === undefined ? 0 : (idle.cpu / idle.lasted) * lasted));
}

function isWhole({ ended }: Medians): boolean {
  return ended.length > 0 && ended.every((one) => one.isWhole);
}

function cellOf(rows: readonly Row[], wanted: Variant): Medians | undefined {
  return rows.find(({ variant }) => variant === wanted)?.cell;
}

function mib(bytes: number): string {
  return `${fixed(bytes / MIB, 0)} MiB`;
}
