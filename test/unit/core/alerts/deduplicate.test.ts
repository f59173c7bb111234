import { expect, test } from 'vitest';
import { deduplicate } from '../../../../core/alerts/deduplicate.ts';
import { digestOf } from '../../../../core/alerts/digest.ts';
import { HOUR, MINUTE } from '../../../../core/config/units.ts';
import type { Alert } from '../../../../core/domain/alert.ts';
import { stormOfKind } from '../../../support/storm.ts';
import { anAlert } from '../../../support/telemetry-builders.ts';

/** A sink that keeps what it gets, and refuses when told to. */
function aSink() {
  const world = { now: 0, refuses: false, got: [] as string[] };
  const sink = deduplicate(
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

test('F19: a clock that was set back makes the silence no longer', async () => {
  const { world, sink } = aSink();
  world.now = 10 * HOUR;
  await sink.send([down('before')]);
  world.now = 9 * HOUR;
  await sink.send([down('after')]);
  world.now += 5 * MINUTE;
  await sink.send([down('soon after')]);
  expect(world.got).toEqual(['before', 'after']);
});

test('what was not taken is tried again', async () => {
  const { world, sink } = aSink();
  world.refuses = true;
  expect((await sink.send([down('first')])).rejected).toHaveLength(1);
  world.refuses = false;
  await sink.send([down('second')]);
  expect(world.got).toEqual(['second']);
});

test('every other event passes, once: one that comes again could not be noted in the outbox', async () => {
  const { world, sink } = aSink();
  const purged = (id: string) => anAlert({ id });
  expect(await sink.send([purged('1'), down('down'), purged('2')])).toEqual({ sent: 3, rejected: [] });
  world.now = HOUR;
  expect(await sink.send([purged('1'), down('down again'), purged('3')])).toEqual({ sent: 3, rejected: [] });
  expect(world.got.toSorted()).toEqual(['1', '2', '3', 'down']);
});

test('a watch of months does not remember them all', async () => {
  const { world, sink } = aSink();
  for (let n = 0; n <= 1000; n++) await sink.send([anAlert({ id: String(n) })]);
  await sink.send([anAlert({ id: '1000' })]);
  expect(world.got).toHaveLength(1001);
  await sink.send([anAlert({ id: '0' })]);
  expect(world.got).toHaveLength(1002);
});

test('F11: a digest passes when one of its events is new, and what it has told is not told by itself again', async () => {
  const { world, sink } = aSink();
  const [one, two, three] = stormOfKind(3, 'unsupported');
  if (!one || !two || !three) throw new Error('alerts expected');
  const digest = (id: string, ...alerts: readonly [Alert, ...Alert[]]) => digestOf(alerts, id);
  await sink.send([digest('both', one, two)]);
  expect(await sink.send([digest('fewer', two), one, two])).toEqual({ sent: 3, rejected: [] });
  expect(world.got).toEqual(['both']);
  await sink.send([digest('more', two, three)]);
  expect(world.got).toEqual(['both', 'more']);
});

test('a digest of a night is sent also where all that it holds was sent in other digests', async () => {
  const { world, sink } = aSink();
  const [one, two] = stormOfKind(2, 'unsupported');
  if (!one || !two) throw new Error('alerts expected');
  await sink.send([digestOf([one, two], 'warnings')]);
  const night: Alert = { ...digestOf([one, two], 'night'), event: 'nightly-digest' };
  await sink.send([night]);
  await sink.send([night]);
  expect(world.got).toEqual(['warnings', 'night']);
});
