import { restartFloor } from '../../cli/demo/floor.ts';
import type { ServerBinary } from '../../cli/server/binary.ts';
import { numberField } from '../../functions/shared/redis/info.ts';
import { median } from '../statistics.ts';
import { type Latencies, probed } from '../support/probing.ts';
import { cpuSeconds, prepared, settled } from '../support/server.ts';
import type { Shape } from '../support/shapes.ts';
import type { Variant } from './variants.ts';

/** What one variant has made of one server. */
export interface Cell extends Latencies {
  /** For how long a defragger was on. */
  readonly seconds: number;
  readonly cpu: number;
  /** Bytes, after the allocator has come to rest. */
  readonly returned: number;
  /** Of what a restart on the same data would have returned. */
  readonly share: number;
  /** By the server's own LATENCY, where the variant reads it. */
  readonly worstStall?: number;
}

export async function measure(binary: ServerBinary, shape: Shape, variant: Variant, megabytes: number): Promise<Cell> {
  await using ready = await prepared(binary, shape, megabytes);
  const before = await ready.info();
  const { result, latencies } = await probed(ready.server.port, shape.probe, () => variant.run(ready));
  const cpu = cpuSeconds(await ready.info()) - cpuSeconds(before);
  await settled(ready.redis);
  const after = numberField(await ready.info(), 'used_memory_rss') ?? 0;
  const [, dir = '.'] = (await ready.redis.config('GET', 'dir')) as string[];
  const floor = await restartFloor(binary, ready.redis, dir, new AbortController().signal);
  const rss = numberField(before, 'used_memory_rss') ?? 0;
  return {
    ...latencies,
    seconds: result.defragging ?? 0,
    cpu,
    returned: rss - after,
    share: (rss - after) / (rss - floor),
    ...(result.worstStall !== undefined && { worstStall: result.worstStall }),
  };
}

/** Each figure by itself: the median run of one is not that of another. */
export function medians(cells: readonly Cell[]): Cell {
  const of = (figure: (cell: Cell) => number | undefined) =>
    median(cells.map(figure).filter((value) => value !== undefined));
  const stalls = cells.filter(({ worstStall }) => worstStall !== undefined);
  return {
    p50: of(({ p50 }) => p50),
    p99: of(({ p99 }) => p99),
    p999: of(({ p999 }) => p999),
    max: of(({ max }) => max),
    count: of(({ count }) => count),
    seconds: of(({ seconds }) => seconds),
    cpu: of(({ cpu }) => cpu),
    returned: of(({ returned }) => returned),
    share: of(({ share }) => share),
    ...(stalls.length > 0 && { worstStall: of(({ worstStall }) => worstStall) }),
  };
}
