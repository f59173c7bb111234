import { defragByDefaults } from '../../cli/lab/at-rest.ts';
import type { Prepared } from '../support/server.ts';
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
    action: async ({ redis }) => ({ ended: await defragByDefaults(redis) }),
  },
  offpeak: { name: 'Offpeak, default policy', action: ({ server }) => runCli(server.port) },
  fresh: { name: 'a fresh server' },
};
