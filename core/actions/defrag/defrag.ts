import type { Action } from '../action.ts';
import { startWords, stopWords } from './describe.ts';
import { noiseOf } from './pace.ts';
import { defragCandidate } from './propose.ts';
import { terms } from './terms.ts';

/** Active defrag: a lease on the server's own defragger, which moves values until pages are empty. */
export const defrag: Action = {
  starts: 'start-defrag',
  propose: defragCandidate,
  terms,
  /** Shows what the machine adds to every stall. */
  async prepare({ session, instance }, wait) {
    const waits = await session.waits(wait);
    return { noise: noiseOf(waits, wait, instance.defrag.maxStall) };
  },
  owns: ({ phase }) => phase !== 'purging',
  effects: async () => ({
    start: (await import('./execute.ts')).startDefrag,
    resume: (await import('./resume.ts')).resumeDefrag,
  }),
  words: { 'start-defrag': startWords, 'stop-defrag': stopWords },
};
