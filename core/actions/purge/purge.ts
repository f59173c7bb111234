import type { Action } from '../action.ts';
import { purgeWords } from './describe.ts';
import { purgeCandidate } from './propose.ts';
import { terms } from './terms.ts';

/** `MEMORY PURGE`: returns free pages (jemalloc: dirty and muzzy) to the operating system. */
export const purge: Action = {
  starts: 'purge',
  propose: purgeCandidate,
  terms,
  owns: ({ phase }) => phase === 'purging',
  effects: async () => ({
    start: (await import('./execute.ts')).purgeUnderLease,
    resume: (await import('./resume.ts')).closePurge,
  }),
  words: { purge: purgeWords },
};
