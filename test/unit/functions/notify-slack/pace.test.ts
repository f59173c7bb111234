import { expect, test } from 'vitest';
import { createPace } from '../../../../functions/notify-slack/slack/client.ts';

/** A clock on which only pauses, and what a test adds, take time. */
function paceOf(jitter: number) {
  const world = { at: 5_000, pauses: [] as number[] };
  const pace = createPace({
    now: () => world.at,
    async pause(duration) {
      world.pauses.push(duration);
      world.at += duration;
    },
    random: () => jitter,
  });
  return { world, pace };
}

test.each([
  [0, 1_000],
  [0.5, 1_250],
])('with jitter %d each message but the first waits for %d ms after the one before', async (jitter, wait) => {
  const { world, pace } = paceOf(jitter);
  for (let n = 0; n < 3; n += 1) await pace();
  expect(world.pauses).toEqual([wait, wait]);
});

test('what has passed since the message before counts, so that a message after a long time does not wait', async () => {
  const { world, pace } = paceOf(0);
  await pace();
  world.at += 400;
  await pace();
  world.at += 1_000;
  await pace();
  expect(world.pauses).toEqual([600]);
});
