import { setTimeout as wait } from 'node:timers/promises';
import { numberField } from '../../core/adapters/redis/info.ts';
import type { Prepared } from '../support/server.ts';
import { runCli } from './cli.ts';
import type { CliRun } from './cli-lines.ts';

/** One way to treat the same fragmented server. */
export interface Arm {
  readonly title: string;
  /** Absent for a restart: it ends the server that clients would use. */
  action?(ready: Prepared): Promise<Partial<CliRun>>;
}

const DEFRAG_CAP_S = 300;
const QUIET_S = 5;

/** As they are called on the command line, in the order of the table. */
export const ARMS: Readonly<Record<string, Arm>> = {
  nothing: { title: 'nothing', action: async () => ({}) },
  purge: {
    title: 'MEMORY PURGE',
    async action({ redis }) {
      await redis.call('MEMORY', 'PURGE');
      return {};
    },
  },
  defaults: {
    title: 'activedefrag yes, defaults, then a purge',
    async action(ready) {
      await ready.redis.config('SET', 'activedefrag', 'yes');
      const ended = await untilQuiet(ready);
      await ready.redis.call('MEMORY', 'PURGE');
      return { ended };
    },
  },
  offpeak: { title: 'Offpeak, default policy', action: ({ server }) => runCli(server.port) },
  fresh: { title: 'a fresh server' },
};

/** The defragger reports the CPU that it uses; a pause between two passes is shorter than this. */
async function untilQuiet({ info }: Prepared): Promise<string> {
  let hasBegun = false;
  for (let second = 0, quiet = 0; quiet < QUIET_S; second++) {
    if (second === DEFRAG_CAP_S) return `cut off after ${DEFRAG_CAP_S} s`;
    await wait(1000);
    const isIdle = numberField(await info(), 'active_defrag_running') === 0;
    hasBegun ||= !isIdle;
    quiet = isIdle ? quiet + 1 : 0;
  }
  return hasBegun ? 'came to rest' : 'did not begin';
}
