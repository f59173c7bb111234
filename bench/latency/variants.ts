import { setTimeout as wait } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { numberField } from '../../functions/shared/redis/info.ts';
import { runOffpeak, stateFolder } from '../support/offpeak.ts';
import { infoOf, type Prepared } from '../support/server.ts';

/** One way to deal with the same fragmented server. */
export interface Variant {
  readonly name: string;
  /** Milliseconds: what it promises, if it does. */
  readonly maxStall?: number;
  /** Returns what the run itself says of its worst stall, in ms, where it does. */
  run(prepared: Prepared): Promise<{ readonly worstStall?: number }>;
}

/** For those that do nothing for long: as long as the others take, so that the tail is one of as many requests. */
const IDLE_MS = 8000;
const DEADLINE_MS = 120_000;

/** Redis' own defragger, switched on as its documentation says, and a purge when it has come to rest. */
export const OWN: Variant = {
  name: '(a) activedefrag yes, defaults',
  async run({ redis }) {
    await redis.config('SET', 'activedefrag', 'yes');
    await untilIdle(redis);
    await redis.config('SET', 'activedefrag', 'no');
    await redis.call('MEMORY', 'PURGE');
    return {};
  },
};

export function offpeak(maxStall: number): Variant {
  return {
    name: `(b) Offpeak, maxStall ${maxStall} ms`,
    maxStall,
    async run({ server }) {
      await using folder = await stateFolder();
      const outcomes = await runOffpeak(server.port, { maxStall }, folder.path);
      const stalls = outcomes.flatMap(({ verdict }) => (verdict?.cure === 'defrag' ? [verdict.stall] : []));
      return stalls.length === 0 ? {} : { worstStall: Math.max(...stalls) };
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

/** The defragger reports the CPU that it takes: none for two seconds is the end. */
async function untilIdle(redis: Redis): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  for (let quiet = 0; quiet < 8 && performance.now() < deadline; ) {
    await wait(250);
    quiet = numberField(await infoOf(redis), 'active_defrag_running') === 0 ? quiet + 1 : 0;
  }
}
