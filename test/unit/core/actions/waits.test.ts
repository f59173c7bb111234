import { expect, test, vi } from 'vitest';
import { type NodeContext, waitInterruptible, waitKeepingAlive } from '../../../../core/actions/context.ts';
import { countdown } from '../../../../core/adapters/clock.ts';
import type { Clock } from '../../../../core/ports/clock.ts';
import type { Session } from '../../../../core/ports/node-session.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A visit whose waits cost no time, on a wall clock that is set by `jump` after the first of them. */
function aVisit(jump: number) {
  const seen = { now: 1_800_000_000_000, waited: [] as number[], words: 0, interrupted: false };
  const wait = async (duration: number) => {
    if (seen.waited.length > 100) throw new Error('it waits for ever');
    seen.waited.push(duration);
    seen.now += duration + (seen.waited.length === 1 ? jump : 0);
  };
  const clock: Clock = { now: () => seen.now, sleep: wait, pause: wait };
  const session = { keepAlive: async () => void seen.words++ } as Partial<Session>;
  const visit = { ports: { clock }, session, interrupted: () => seen.interrupted } as unknown as NodeContext;
  return { seen, visit };
}

const total = (all: readonly number[]) => all.reduce((sum, one) => sum + one, 0);

test.each([0, -HOUR, -5000, HOUR, 5000])(
  'F19: a wait lasts as long as it says when the wall clock is set by %i ms',
  async (jump) => {
    for (const wait of [waitInterruptible, waitKeepingAlive]) {
      const { seen, visit } = aVisit(jump);
      await wait(visit, 12_000);
      expect(total(seen.waited)).toBe(12_000);
      // In between, and not after the last: the next command keeps the connection then.
      expect(seen.words).toBe(seen.waited.length - 1);
    }
  },
);

test('a wait of no whole number of steps ends on time, and an interrupted one at once', async () => {
  const { seen, visit } = aVisit(0);
  await waitInterruptible(visit, 4500);
  expect(seen.waited).toEqual([2000, 2000, 500]);
  seen.interrupted = true;
  await waitInterruptible(visit, 4500);
  expect(seen.waited).toHaveLength(3);
});

test("F19: an invocation's time runs down, whatever the wall clock says", () => {
  const left = countdown(120_000);
  try {
    vi.spyOn(Date, 'now').mockReturnValue(0);
    expect(left()).toBeLessThanOrEqual(120_000);
    expect(left()).toBeGreaterThan(0);
    vi.spyOn(Date, 'now').mockReturnValue(Number.MAX_SAFE_INTEGER);
    expect(left()).toBeGreaterThan(0);
  } finally {
    vi.restoreAllMocks();
  }
});
