import { expect, test } from 'vitest';
import { withoutRepeats } from '../../../functions/maintain/repeats.ts';
import { HOUR, MINUTE } from '../../../functions/shared/config/units.ts';
import type { Alert } from '../../../functions/shared/contracts/alert.ts';
import { anAlert } from '../../support/telemetry-builders.ts';

/** A sink that keeps what it gets, and refuses when told to. */
function aSink() {
  const world = { now: 0, refuses: false, got: [] as string[] };
  const sink = withoutRepeats(
    {
      send: async (alerts) => {
        if (world.refuses) return { sent: 0, rejected: alerts.map(({ id }) => ({ what: id, why: '503' })) };
        world.got.push(...alerts.map(({ id }) => id));
        return { sent: alerts.length, rejected: [] };
      },
    },
    { now: () => world.now },
  );
  return { world, sink };
}

const down = (id: string, node = 'all'): Alert => anAlert({ id, event: 'state-unavailable', instance: 'all', node });

test('a store that is down is told once in six hours for each place, and counts as told in between', async () => {
  const { world, sink } = aSink();
  for (let tick = 0; tick < 100; tick++) {
    world.now = tick * 5 * MINUTE;
    expect(await sink.send([down(`tick ${tick}`)])).toEqual({ sent: 1, rejected: [] });
  }
  expect(world.got).toEqual(['tick 0', 'tick 72']);
  await sink.send([down('elsewhere', 'carts-1:6379')]);
  expect(world.got).toHaveLength(3);
});

test('what was not taken is tried again', async () => {
  const { world, sink } = aSink();
  world.refuses = true;
  expect((await sink.send([down('first')])).rejected).toHaveLength(1);
  world.refuses = false;
  await sink.send([down('second')]);
  expect(world.got).toEqual(['second']);
});

test('every other event passes, however often it comes', async () => {
  const { world, sink } = aSink();
  const purged = anAlert({ id: 'purged' });
  expect(await sink.send([purged, down('down'), purged])).toEqual({ sent: 3, rejected: [] });
  world.now = HOUR;
  expect(await sink.send([purged, down('down again')])).toEqual({ sent: 2, rejected: [] });
  expect(world.got.filter((id) => id === 'purged')).toHaveLength(3);
  expect(world.got).not.toContain('down again');
});
