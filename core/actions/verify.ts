import { type Bytes, MIB } from '../config/units.ts';
import type { Observation } from '../domain/observation.ts';
import type { Prediction } from '../domain/prediction.ts';
import type { Verdict } from '../domain/verdict.ts';

/** Of one observation; `allocated` is what the allocator has given out, 0 where it does not say. */
interface RssBaseline {
  readonly usedMemoryRss: Bytes;
  readonly allocated: Bytes;
}

export function rssBaseline({ memory }: Observation): RssBaseline {
  return { usedMemoryRss: memory.usedMemoryRss ?? 0, allocated: memory.allocatorAllocated ?? 0 };
}

/** After an action. RSS that is not known then, since it cannot be what was printed, must not look like RSS that came back: nothing is claimed. */
export function rssAfter(settled: Observation, before: RssBaseline): RssBaseline {
  return settled.memory.usedMemoryRss === undefined ? before : rssBaseline(settled);
}

interface Measured
  extends Pick<Verdict, 'action' | 'stall' | 'promisedStall' | 'unmeasured' | 'beyond' | 'lasted' | 'leaving'> {
  readonly before: RssBaseline;
  readonly after: RssBaseline;
  readonly predicted: Prediction;
}

/** Below this, RSS moves by itself from check to check. */
const NOISE = 8 * MIB;

/** An action that returns less than this share of its prediction was not worth its price. */
const WORTH = 0.25;

export function verify(measured: Measured): Verdict {
  const { before, after, predicted, ...rest } = measured;
  const dataGrowth = after.allocated - before.allocated;
  const reclaimed = before.usedMemoryRss - after.usedMemoryRss + dataGrowth;
  const floor = Math.min(NOISE, predicted.reclaim / 2);
  const kind =
    reclaimed < -NOISE
      ? 'worse'
      : reclaimed > floor && reclaimed >= WORTH * predicted.reclaim
        ? 'improved'
        : 'unchanged';
  return {
    ...rest,
    kind,
    rssBefore: before.usedMemoryRss,
    rssAfter: after.usedMemoryRss,
    dataGrowth,
    reclaimed,
    predicted: predicted.reclaim,
    ...(predicted.reclaim > 0 && { share: reclaimed / predicted.reclaim }),
  };
}
