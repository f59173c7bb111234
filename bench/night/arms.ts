import { type Prepared, untilAtRest } from '../support/server.ts';
import { type CliRun, runCli } from './cli.ts';

/** One way to treat the same fragmented server. */
export interface Arm {
  readonly name: string;
  /** Absent for a restart: it ends the server that clients would use. */
  action?(ready: Prepared): Promise<Partial<CliRun>>;
}

/** As they are called on the command line, in the order of the table. */
export const ARMS: Readonly<Record<string, Arm>> = {
  nothing: { name: 'nothing', action: async () => ({}) },
  purge: {
    name: 'MEMORY PURGE',
    async action({ redis }) {
      await redis.call('MEMORY', 'PURGE');
      return {};
    },
  },
  defaults: {
    name: 'activedefrag yes, defaults, then a purge',
    async action({ redis }) {
      await redis.config('SET', 'activedefrag', 'yes');
      const { because: ended } = await untilAtRest(redis, 5, 300);
      await redis.call('MEMORY', 'PURGE');
      return { ended };
    },
  },
  offpeak: { name: 'Offpeak, default policy', action: ({ server }) => runCli(server.port) },
  fresh: { name: 'a fresh server' },
};
