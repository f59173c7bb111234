import type { ArmName } from '../../cli/lab/trial/arms.ts';
import type { ArmResult, Reading, TrialResult } from '../../cli/lab/trial/result.ts';
import { MIB } from '../../core/config/units.ts';

/** A server of the lab, in MiB: its data, and what RSS has beyond them. */
export function aReading(data: number, fragmentation = 0, freePages = 0, overhead = 1): Reading {
  const rss = (data + fragmentation + freePages + overhead) * MIB;
  return {
    ...{ keys: 1000, used: data * MIB, rss },
    layers: {
      allocated: data * MIB,
      externalFragmentation: fragmentation * MIB,
      freePages: freePages * MIB,
      overhead: overhead * MIB,
    },
  };
}

export function anArm(arm: ArmName, result: Partial<ArmResult> = {}): ArmResult {
  const [before, after] = [aReading(100, 100), aReading(100, 100)];
  return { arm, before, after, seconds: 1, cpu: 0, ...result };
}

/** Each arm, with figures like those of a real run. */
export const ALL_ARMS: readonly ArmResult[] = [
  anArm('nothing', { before: aReading(100, 100, 80), seconds: 9, full: aReading(400) }),
  anArm('purge', { seconds: 0.004 }),
  anArm('defaults', { after: aReading(100, 12), seconds: 3, cpu: 0.4, ended: 'came to rest' }),
  anArm('offpeak', {
    after: aReading(100, 3),
    seconds: 11,
    cpu: 0.6,
    ended: 'the rest is not worth it',
    predicted: 95 * MIB,
  }),
  anArm('restart', { after: aReading(100), seconds: 1.1, cpu: 0.1 }),
  anArm('thread-off', { before: aReading(100, 100, 80), after: aReading(100, 100, 80), seconds: 0 }),
  anArm('thread-off-purge', { before: aReading(100, 100, 80), seconds: 0.08 }),
  anArm('decay', { before: aReading(100, 100, 80), seconds: 2, isMallocConfRead: false }),
  anArm('uniform', { after: aReading(170, 110), full: aReading(680) }),
  anArm('by-size', { after: aReading(101, 100, 0, 3) }),
];

export function aTrial(trial: Partial<TrialResult> = {}): TrialResult {
  return {
    recipe: 'article',
    title: "the article's recipe: 1,000 values",
    server: { version: '7.0.15', path: '/opt/redis-server' },
    ...{ scale: 1, seed: 1, clock: 10, at: Date.UTC(2026, 10, 26, 18), lasted: 71_000 },
    table: {
      title: "the article's recipe: 4,000 values",
      clock: 10,
      moments: [
        { when: 0, reading: aReading(400) },
        { when: 60, reading: aReading(400) },
        { when: 260, reading: aReading(130, 100, 60) },
        { when: 'swept', reading: aReading(100, 100, 80) },
        { when: 'rest', reading: aReading(100, 100) },
      ],
    },
    arms: ALL_ARMS,
    failed: [],
    ...trial,
  };
}
