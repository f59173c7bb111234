import type { Settings } from '../../core/domain/observation.ts';

// What work costs a simulated server, on its own terms: nothing here knows what the job predicts, and nothing of the job is used.

/** Work of a defrag between two looks at the clock, at most: by so much a cycle is longer than its share of the time. */
export const LONGEST_WORK = 0.25;

/** Milliseconds for each GiB that a purge returns: whole runs of pages, and pages that lie scattered (docs/performance.md). */
const PURGE_RATES = [40, 380] as const;

export interface Costs {
  /** How long one cycle of a defrag keeps clients waiting, in ms. `holes`: in percent of what is allocated. */
  cycle(settings: Settings, holes: number): number;
  /** How long a purge of so many GiB keeps clients waiting, in ms. */
  purge(gib: number): number;
}

/** Each server has its own pace, and its own luck with how pages lie. The same in each run. */
export function costsOf(name: string): Costs {
  const random = numbersOf(name);
  const work = () => LONGEST_WORK * (0.1 + 0.9 * random());
  return {
    cycle(settings, holes) {
      const value = (setting: string) => Number(settings[`active-defrag-${setting}`]);
      const above = (holes - value('threshold-lower')) / (value('threshold-upper') - value('threshold-lower'));
      const [gentlest, hardest] = [value('cycle-min'), value('cycle-max')];
      const duty = gentlest + (hardest - gentlest) * Math.min(1, Math.max(0, above));
      // serverCron comes so many times a second, and defrag works until its share of the time between two of them is used up.
      const deadline = (1000 / Number(settings.hz)) * (duty / 100);
      let clock = 0;
      while (clock < deadline) clock += work();
      return clock;
    },
    purge: (gib) => gib * (PURGE_RATES[0] + (PURGE_RATES[1] - PURGE_RATES[0]) * random()),
  };
}

/** Numbers from 0 up to 1 that only the name decides. */
function numbersOf(name: string): () => number {
  let state = [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7);
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
