import { setTimeout as wait } from 'node:timers/promises';
import { type Ended, untilAtRest } from '../../cli/lab/at-rest.ts';
import { traitsOf } from '../../core/actions/defrag/stop-reasons.ts';
import type { Outcome } from '../../core/domain/outcome.ts';
import { reasonsOf, runOffpeak, stateFolder } from '../support/offpeak.ts';
import type { Prepared } from '../support/server.ts';

interface Ran {
  /** The worst stall, in ms, where the run itself reports one. */
  readonly worstStall?: number;
  readonly ended?: Ended;
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

/** Redis' own defragger, switched on as documented, and a purge when it has come to rest. */
export const OWN: Variant = {
  name: '(a) activedefrag yes, defaults',
  counts: 'action',
  async run({ redis }) {
    await redis.config('SET', 'activedefrag', 'yes');
    const ended = await untilAtRest(redis, 2, 120);
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
