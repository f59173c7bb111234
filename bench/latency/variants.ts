import { setTimeout as wait } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { traitsOf } from '../../core/actions/defrag/stop-reasons.ts';
import { numberField } from '../../core/adapters/redis/info.ts';
import type { Outcome } from '../../core/domain/outcome.ts';
import { reasonsOf, runOffpeak, stateFolder } from '../support/offpeak.ts';
import { infoOf, type Prepared } from '../support/server.ts';

export interface Ran {
  /** The worst stall, in ms, where the run itself reports one. */
  readonly worstStall?: number;
  readonly ended?: Ended;
}

/** Why a defrag ended. */
export interface Ended {
  readonly because: string;
  /** It ended by itself. The time of a run that was cut off says nothing about its speed. */
  readonly isWhole: boolean;
}

/** One way to treat the same fragmented server. */
export interface Variant {
  readonly name: string;
  /** Which requests count: those during an action, or all where actions are short. */
  readonly counts: 'action' | 'all';
  /** Milliseconds: what it promises, if it does. */
  readonly maxStall?: number;
  run(prepared: Prepared): Promise<Ran>;
}

/** For variants with short actions: about as long as the others take, so that the tail is one of as many requests. */
const IDLE_MS = 8000;
const DEADLINE_MS = 120_000;

/** Redis' own defragger, switched on as documented, and a purge when it has come to rest. */
export const OWN: Variant = {
  name: '(a) activedefrag yes, defaults',
  counts: 'action',
  async run({ redis }) {
    await redis.config('SET', 'activedefrag', 'yes');
    const ended = await untilAtRest(redis);
    await redis.config('SET', 'activedefrag', 'no');
    await redis.call('MEMORY', 'PURGE');
    return { ended };
  },
};

/** With such a low `maxBlock`, the freed pages are left to jemalloc's decay: no purge keeps a client waiting. */
export function offpeak(maxStall: number): Variant {
  return {
    name: `(b) Offpeak, maxStall ${maxStall} ms`,
    counts: 'action',
    maxStall,
    async run({ server }) {
      await using folder = await stateFolder();
      const outcomes = await runOffpeak(server.port, { maxStall, maxBlock: maxStall }, folder.path);
      const stalls = outcomes.flatMap((one) => (one.kind === 'stopped' && one.verdict ? [one.verdict.stall] : []));
      return { ended: endOf(outcomes), ...(stalls.length > 0 && { worstStall: Math.max(...stalls) }) };
    },
  };
}

export const PURGE: Variant = {
  name: '(c) cron and MEMORY PURGE',
  counts: 'all',
  async run({ redis }) {
    await wait(IDLE_MS / 2);
    await redis.call('MEMORY', 'PURGE');
    await wait(IDLE_MS / 2);
    return {};
  },
};

export const NOTHING: Variant = {
  name: '(d) nothing',
  counts: 'all',
  async run() {
    await wait(IDLE_MS);
    return {};
  },
};

function endOf(outcomes: readonly Outcome[]): Ended {
  const stopped = outcomes.findLast((outcome) => outcome.kind === 'stopped');
  if (!stopped) return { because: `not started: ${reasonsOf(outcomes)}`, isWhole: false };
  const { because } = stopped.plan.action;
  return { because, isWhole: traitsOf(because).teaches };
}

/** The defragger reports the CPU that it uses: none for two seconds means the end. */
async function untilAtRest(redis: Redis): Promise<Ended> {
  const deadline = performance.now() + DEADLINE_MS;
  let hasBegun = false;
  for (let quiet = 0; quiet < 8; ) {
    if (performance.now() > deadline) return { because: `cut off after ${DEADLINE_MS / 1000} s`, isWhole: false };
    await wait(250);
    const isIdle = numberField(await infoOf(redis), 'active_defrag_running') === 0;
    hasBegun ||= !isIdle;
    quiet = isIdle ? quiet + 1 : 0;
  }
  return hasBegun ? { because: 'came to rest', isWhole: true } : { because: 'below its thresholds', isWhole: false };
}
