import { setTimeout as wait } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { numberField } from '../../functions/shared/redis/info.ts';
import { runOffpeak, stateFolder } from '../support/offpeak.ts';
import { infoOf, type Prepared } from '../support/server.ts';

export interface Ran {
  /** What the run itself says of its worst stall, in ms, where it does. */
  readonly worstStall?: number;
  /** For how long the defragger was on. */
  readonly defragging?: number;
}

/** One way to deal with the same fragmented server. */
export interface Variant {
  readonly name: string;
  /** Milliseconds: what it promises, if it does. */
  readonly maxStall?: number;
  run(prepared: Prepared): Promise<Ran>;
}

/** For those that do nothing for long: as long as the others take, so that the tail is one of as many requests. */
const IDLE_MS = 8000;
const DEADLINE_MS = 120_000;

/** Redis' own defragger, switched on as its documentation says, and a purge when it has come to rest. */
export const OWN: Variant = {
  name: '(a) activedefrag yes, defaults',
  async run({ redis }) {
    const startedAt = performance.now();
    await redis.config('SET', 'activedefrag', 'yes');
    const endedAt = await untilIdle(redis);
    await redis.config('SET', 'activedefrag', 'no');
    await redis.call('MEMORY', 'PURGE');
    return { defragging: (endedAt - startedAt) / 1000 };
  },
};

/** With as low a `maxBlock`, the freed pages are left to jemalloc's decay: no purge keeps a client waiting either. */
export function offpeak(maxStall: number): Variant {
  return {
    name: `(b) Offpeak, maxStall ${maxStall} ms`,
    maxStall,
    async run({ server, redis }) {
      await using folder = await stateFolder();
      const watch = watchSwitch(redis);
      const outcomes = await runOffpeak(server.port, { maxStall, maxBlock: maxStall }, folder.path);
      const defragging = watch.stop();
      const stalls = outcomes.flatMap(({ verdict }) => (verdict?.cure === 'defrag' ? [verdict.stall] : []));
      return { defragging, ...(stalls.length > 0 && { worstStall: Math.max(...stalls) }) };
    },
  };
}

export const PURGE: Variant = {
  name: '(c) cron and MEMORY PURGE',
  async run({ redis }) {
    await wait(IDLE_MS / 2);
    await redis.call('MEMORY', 'PURGE');
    await wait(IDLE_MS / 2);
    return {};
  },
};

export const NOTHING: Variant = {
  name: '(d) nothing',
  async run() {
    await wait(IDLE_MS);
    return {};
  },
};

/** Seconds for which `activedefrag` is on, by looking every tenth of one. */
function watchSwitch(redis: Redis): { stop(): number } {
  let looks = 0;
  const timer = setInterval(async () => {
    const [, value] = (await redis.config('GET', 'activedefrag')) as string[];
    if (value === 'yes') looks++;
  }, 100);
  return {
    stop() {
      clearInterval(timer);
      return looks / 10;
    },
  };
}

/** The defragger reports the CPU that it takes: none for two seconds is the end. Returns when they began. */
async function untilIdle(redis: Redis): Promise<number> {
  const deadline = performance.now() + DEADLINE_MS;
  let idleSince = performance.now();
  for (let quiet = 0; quiet < 8 && performance.now() < deadline; ) {
    await wait(250);
    const isIdle = numberField(await infoOf(redis), 'active_defrag_running') === 0;
    if (!isIdle || quiet === 0) idleSince = performance.now();
    quiet = isIdle ? quiet + 1 : 0;
  }
  return idleSince;
}
