import type { ServerBinary } from '../../cli/lab/binary.ts';
import { restartFloor, rssOf } from '../../cli/lab/demo/floor.ts';
import { median } from '../statistics.ts';
import { watchActions } from '../support/action-times.ts';
import { type Latencies, latenciesIn, monotonic } from '../support/latencies.ts';
import { probed } from '../support/probing.ts';
import { cpuSeconds, type Ended, infoOf, type Prepared, prepared, settled } from '../support/server.ts';
import type { Shape } from '../support/shapes.ts';
import type { Variant } from './variants.ts';

/** The result of one variant on one server. */
export interface Cell extends Latencies {
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

/** Each figure by itself: the median run of one is not that of another. */
export interface Medians extends Pick<Cell, (typeof FIGURES)[number]> {
  readonly returned: number;
  /** Of what a restart on the same data would have returned. */
  readonly share: number;
  readonly worstStall?: number;
  /** Of each run. */
  readonly ended: readonly Ended[];
}

export function medians(cells: readonly Cell[]): Medians {
  const of = (figure: (cell: Cell) => number) => median(cells.map(figure));
  const figures = FIGURES.map((name) => [name, of((cell) => cell[name])] as const);
  const stalls = cells.flatMap(({ worstStall }) => worstStall ?? []);
  return {
    ...(Object.fromEntries(figures) as Record<(typeof FIGURES)[number], number>),
    returned: of(({ before, after }) => before - after),
    share: of(({ before, after, floor }) => (before - after) / (before - floor)),
    ...(stalls.length > 0 && { worstStall: median(stalls) }),
    ended: cells.flatMap(({ ended }) => ended ?? []),
  };
}
