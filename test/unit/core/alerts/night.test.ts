import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { snsMessage } from '../../../../core/adapters/aws/sns-message.ts';
import { nightlyDigestOf } from '../../../../core/alerts/night-digest.ts';
import { flush } from '../../../../core/alerts/outbox.ts';
import { HOUR, MINUTE } from '../../../../core/config/units.ts';
import type { Alert } from '../../../../core/domain/alert.ts';
import type { StateStore } from '../../../../core/ports/state-store.ts';
import { createFileStore } from '../../../../core/state/file/file-store.ts';
import { OUTBOX } from '../../../../core/state/keys.ts';
import { aStore } from '../../../model/store.ts';
import { stormOf, stormOfKind } from '../../../support/storm.ts';

const folder = mkdtempSync(join(tmpdir(), 'offpeak-night-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A real state file, a topic with a nightly digest, and a night that the test ends. */
function aNight(store: StateStore = createFileStore(join(folder, randomUUID()))) {
  const messages: Alert[] = [];
  const world = { now: Date.UTC(2026, 10, 24, 1), isOver: false, topic: 'takes' as 'takes' | 'refuses' | 'kills' };
  const ports = {
    store,
    clock: { now: () => world.now, sleep: async () => {}, pause: async () => {} },
    log: { info: () => {}, warn: () => {}, error: () => {} },
    alerts: {
      hasNightlyDigest: true,
      send: async ([alert]: readonly Alert[]) => {
        if (!alert) return { sent: 0, rejected: [] };
        if (world.topic === 'refuses') return { sent: 0, rejected: [{ what: alert.title, why: 'throttled' }] };
        messages.push(alert);
        return world.topic === 'kills' ? await new Promise<never>(() => {}) : { sent: 1, rejected: [] };
      },
    },
  };
  const tick = async (alerts: readonly Alert[] = [], holder = 'a') =>
    await flush(ports, holder, alerts, { isNightOver: () => world.isOver });
  return { world, messages, tick, store, kept: async () => (await store.list(OUTBOX)).size };
}

const purges = stormOfKind(3, 'a purge that helped');
const warnings = stormOf(60)
  .filter(({ severity }) => severity === 'warning')
  .slice(0, 2);

describe('with a nightly digest', () => {
  test('infos wait for the end of the night, and come in one message, once', async () => {
    const { world, messages, tick, kept } = aNight();
    for (const purge of purges) await tick([purge]);
    expect(messages).toEqual([]);
    world.isOver = true;
    await tick();
    expect(messages).toMatchObject([
      {
        event: 'nightly-digest',
        severity: 'info',
        title: '3 actions on 3 nodes returned 900 MiB; nothing needs a person',
        next: 'Nothing to do.',
        facts: [
          { label: 'Instances', value: '1' },
          { label: 'Together', value: '900 MiB returned of 930 MiB predicted' },
          { label: 'Longest wait', value: expect.any(String) },
        ],
      },
    ]);
    expect(messages[0]?.members?.map(({ id }) => id)).toEqual(purges.map(({ id }) => id));
    await tick();
    expect(messages).toHaveLength(1);
    expect(await kept()).toBe(0);
  });

  test('what is worse is sent at once, and the digest says that it needs a person', async () => {
    const { world, messages, tick, kept } = aNight();
    await tick([...purges, ...warnings]);
    expect(messages).toEqual(warnings);
    await tick(warnings);
    expect(messages).toHaveLength(2);
    world.isOver = true;
    await tick();
    const [, , digest] = messages;
    expect(digest?.title).toMatch(/; 2 for a person to look at$/);
    for (const { node } of warnings) expect(digest?.next).toContain(node);
    expect(digest?.members?.slice(0, 2).map(({ id }) => id)).toEqual(warnings.map(({ id }) => id));
    expect(await kept()).toBe(0);
  });

  test('a night without an info ends without a message', async () => {
    const { world, messages, tick, kept } = aNight();
    await tick(warnings);
    world.isOver = true;
    await tick();
    expect(messages).toEqual(warnings);
    expect(await kept()).toBe(0);
  });

  test('a single info is sent as it is', async () => {
    const { world, messages, tick } = aNight();
    await tick(purges.slice(0, 1));
    world.isOver = true;
    await tick();
    expect(messages).toEqual(purges.slice(0, 1));
  });

  test('by day an info is sent at once', async () => {
    const { world, messages, tick, kept } = aNight();
    world.isOver = true;
    await tick(purges.slice(0, 1));
    expect(messages).toHaveLength(1);
    expect(await kept()).toBe(0);
  });

  test('a digest that cannot be sent stays in the outbox, whole', async () => {
    const { world, messages, tick, kept } = aNight();
    await tick([...purges, ...warnings]);
    Object.assign(world, { isOver: true, topic: 'refuses' });
    expect((await tick()).rejected).toHaveLength(1);
    expect(await kept()).toBe(5);
    world.topic = 'takes';
    await tick();
    expect(messages.at(-1)?.members).toHaveLength(5);
    expect(await kept()).toBe(0);
  });

  test('after a job that died while it sent a digest, the same digest comes again, under the same id', async () => {
    const { world, messages, tick, kept } = aNight();
    await tick([...purges, ...warnings]);
    Object.assign(world, { isOver: true, topic: 'kills' });
    await Promise.race([tick(), new Promise((resolve) => setTimeout(resolve, 300))]);
    Object.assign(world, { topic: 'takes', isOver: false, now: world.now + 3 * MINUTE });
    await tick([], 'next');
    const [first, again] = messages.slice(2);
    expect(first).toMatchObject({ event: 'nightly-digest' });
    expect(again).toEqual(first);
    expect(await kept()).toBe(0);
  });

  test('a night that never ends: nothing waits for longer than a day', async () => {
    const { world, messages, tick, kept } = aNight();
    await tick([...purges, ...warnings]);
    world.now += 23 * HOUR;
    await tick();
    expect(messages).toEqual(warnings);
    world.now += HOUR;
    await tick();
    expect(messages.at(-1)?.members).toHaveLength(5);
    expect(await kept()).toBe(0);
  });

  test('a thousand infos do not wait, and are one message that SNS takes', async () => {
    const { messages, tick, kept } = aNight(aStore().store);
    await tick(stormOfKind(1_000, 'a purge that helped'));
    expect(messages).toHaveLength(1);
    expect(Buffer.byteLength(snsMessage(messages[0] ?? Object.create(null)).body)).toBeLessThanOrEqual(262_144);
    expect(await kept()).toBe(0);
  });

  test('the state of the store, which comes with every tick, is not kept', async () => {
    const { tick, kept } = aNight();
    const [one] = warnings;
    if (one) await tick([{ ...one, event: 'state-unavailable' }]);
    expect(await kept()).toBe(0);
  });
});

test('without it, all are sent at once, also those that waited for one', async () => {
  const waiting = aNight();
  await waiting.tick([...purges, ...warnings]);
  const messages: Alert[] = [];
  const send = async (alerts: readonly Alert[]) => {
    messages.push(...alerts);
    return { sent: alerts.length, rejected: [] };
  };
  const clock = { now: () => waiting.world.now, sleep: async () => {}, pause: async () => {} };
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  await flush({ store: waiting.store, clock, log, alerts: { send } }, 'a', []);
  expect(messages).toEqual(purges);
  expect(await waiting.kept()).toBe(0);
});

test('of a run, the digest lists the end and not the start', () => {
  const [started] = stormOfKind(1, 'a defrag begins');
  const [finished] = stormOfKind(1, 'its goal is met');
  if (!started || !finished) throw new Error('two alerts expected');
  const { members, title } = nightlyDigestOf([started, finished], 'prod/night/1');
  expect(members?.map(({ event }) => event)).toEqual(['defrag-finished']);
  expect(title).toMatch(/^1 action on 1 node returned /);
  expect(nightlyDigestOf([started], 'prod/night/1').members).toHaveLength(1);
});

describe('a job that dies at any of its effects', () => {
  const events = [...purges, ...warnings];

  /** A night of three ticks, of which no request after the n-th is carried out, and what the next job makes of it. */
  async function nightKilledAt(n: number) {
    const { store } = aStore();
    const delivered: string[] = [];
    const death = Promise.withResolvers<true>();
    let [now, isOver] = [Date.UTC(2026, 10, 24, 1), false];
    const jobWith = (most: number) => {
      let effects = 0;
      const effect = async <T>(step: () => Promise<T>): Promise<T> => {
        effects += 1;
        if (effects <= most) return await step();
        death.resolve(true);
        return await new Promise<never>(() => {});
      };
      const ports = {
        store: {
          list: (prefix) => effect(() => store.list(prefix)),
          read: (key) => effect(() => store.read(key)),
          readAll: (keys) => effect(() => store.readAll(keys)),
          write: (key, value, expected) => effect(() => store.write(key, value, expected)),
          remove: (key, expected) => effect(() => store.remove(key, expected)),
        } satisfies StateStore,
        clock: { now: () => now, sleep: async () => {}, pause: async () => {} },
        log: { info: () => {}, warn: () => {}, error: () => {} },
        alerts: {
          hasNightlyDigest: true,
          send: (alerts: readonly Alert[]) =>
            effect(async () => {
              delivered.push(...alerts.flatMap(({ id, members }) => members?.map((one) => one.id) ?? [id]));
              return { sent: alerts.length, rejected: [] };
            }),
        },
      };
      return (some: readonly Alert[]) => flush(ports, `job-${most}`, some, { isNightOver: () => isOver });
    };
    const first = jobWith(n);
    const night = async (): Promise<false> => {
      await first(events.slice(0, 2));
      await first(events.slice(2));
      isOver = true;
      await first([]);
      return false;
    };
    const isDead = await Promise.race([night(), death.promise]);
    // All of it is reported again under the same ids: what is stored is stored once.
    [now, isOver] = [now + 3 * MINUTE, true];
    const next = jobWith(Number.POSITIVE_INFINITY);
    if (isDead) await next(events);
    now += 3 * MINUTE;
    await next([]);
    return { isDead, delivered, left: (await store.list(OUTBOX)).size };
  }

  test('loses no event, leaves nothing, and repeats an event once at most', async () => {
    for (let n = 0; ; n++) {
      const { isDead, delivered, left } = await nightKilledAt(n);
      expect({ n, left }).toEqual({ n, left: 0 });
      for (const { id, severity } of events) {
        const times = delivered.filter((one) => one === id).length;
        // What is worse than an info is sent by itself and named in the digest: of each there is one repeat at most.
        expect({ n, id, isDelivered: times >= 1 }).toEqual({ n, id, isDelivered: true });
        expect(times, `${n} ${id}`).toBeLessThanOrEqual(severity === 'info' ? 2 : 4);
      }
      if (isDead) continue;
      expect(n).toBeGreaterThan(15);
      return;
    }
  });
});
