import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { enqueue, flush } from '../../../../core/alerts/outbox.ts';
import { isEnqueued } from '../../../../core/alerts/outbox-entries.ts';
import { MINUTE } from '../../../../core/config/units.ts';
import { ALERT_SCHEMA, type Alert } from '../../../../core/domain/alert.ts';
import { type StateStore, StateUnavailable } from '../../../../core/ports/state-store.ts';
import { createFileStore } from '../../../../core/state/file/file-store.ts';
import { lifetimeOf, OUTBOX, OUTBOX_LIFETIME } from '../../../../core/state/keys.ts';
import { aStore } from '../../../model/store.ts';
import { stormOf, stormOfKind } from '../../../support/storm.ts';

const FRESH = 3 * MINUTE;
const folder = mkdtempSync(join(tmpdir(), 'offpeak-outbox-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A real state file, a topic that can refuse or never answer, and a clock that the test moves. */
function anOutbox(store: StateStore = createFileStore(join(folder, randomUUID()))) {
  const received: string[] = [];
  const messages: Alert[] = [];
  const logs: string[] = [];
  const world = { now: 1_000_000, topic: 'takes' as 'takes' | 'refuses' | 'kills the job' | 'refuses one' };
  const log = (message: string) => void logs.push(message);
  const ports = {
    store,
    clock: { now: () => world.now, sleep: async () => {}, pause: async () => {} },
    log: { info: log, warn: log, error: log },
    alerts: {
      send: async ([alert]: readonly Alert[]) => {
        if (!alert) return { sent: 0, rejected: [] };
        const refused = { sent: 0, rejected: [{ what: alert.title, why: 'throttled' }] };
        if (world.topic === 'refuses' || (world.topic === 'refuses one' && alert.id.endsWith('/1'))) return refused;
        received.push(alert.id);
        messages.push(alert);
        // Delivered, and then nothing more is heard of the job.
        return world.topic === 'kills the job' ? await new Promise<never>(() => {}) : { sent: 1, rejected: [] };
      },
    },
  };
  return { ports, store, world, received, messages, logs, kept: async () => [...(await store.list(OUTBOX)).keys()] };
}

function anAlert(n: number, event: Alert['event'] = 'purged'): Alert {
  const place = { stage: 'test', instance: 'carts', node: 'carts.redis.example:6379' };
  return {
    schema: ALERT_SCHEMA,
    id: `test/carts/carts.redis.example:6379/${event}/${n}`,
    event,
    severity: 'info',
    at: '2026-01-01T00:00:00.000Z',
    ...place,
    title: 'carts: 1 GiB returned by a purge',
    why: 'Because.',
    facts: [{ label: 'Returned', value: '1 GiB', figure: 'returnedBytes' }],
    next: 'Nothing to do.',
    figures: { returnedBytes: 1 },
  };
}

/** Long enough for whatever does not hang. */
const hangs = (job: Promise<unknown>) =>
  Promise.race([job.then(() => false), new Promise((r) => setTimeout(r, 300, true))]);

describe('the outbox', () => {
  test('delivers what it is given, once, and keeps nothing', async () => {
    const { ports, received, kept } = anOutbox();
    expect((await flush(ports, 'a', [anAlert(1), anAlert(2)])).rejected).toHaveLength(0);
    expect((await flush(ports, 'a', [])).rejected).toHaveLength(0);
    expect(received).toEqual([anAlert(1).id, anAlert(2).id]);
    expect(await kept()).toEqual([]);
  });

  test('what was entrusted by a job that died is told by the next one, whole, as soon as it cannot be on its way', async () => {
    const { ports, world, messages } = anOutbox();
    await enqueue(ports, 'dead', [anAlert(1)]);
    await flush(ports, 'next', []);
    expect(messages).toEqual([]);
    world.now += FRESH;
    await flush(ports, 'next', []);
    expect(messages).toEqual([anAlert(1)]);
  });

  test('each job that dies after the delivery leads to one repeat with the same id', async () => {
    const { ports, world, received, kept } = anOutbox();
    world.topic = 'kills the job';
    expect(await hangs(flush(ports, 'first', [anAlert(1)]))).toBe(true);
    world.now += FRESH;
    world.topic = 'takes';
    for (const holder of ['second', 'third']) expect((await flush(ports, holder, [])).rejected).toHaveLength(0);
    expect(received).toEqual([anAlert(1).id, anAlert(1).id]);
    expect(await kept()).toEqual([]);
  });

  test('jobs that die there every time give it up, and say so', async () => {
    const { ports, world, received, kept, logs } = anOutbox();
    world.topic = 'kills the job';
    await enqueue(ports, 'dead', [anAlert(1)]);
    for (let tick = 0; tick < 7; tick++) {
      world.now += FRESH;
      await hangs(flush(ports, `tick-${tick}`, []));
    }
    expect(received).toHaveLength(5);
    expect(await kept()).toEqual([]);
    expect(logs).toContain('alert given up: the job died each time while it was sent');
  });

  test('a topic that refuses gets it again at every tick, and at last once', async () => {
    const { ports, world, received, kept } = anOutbox();
    world.topic = 'refuses';
    expect((await flush(ports, 'a', [anAlert(1)])).rejected).toHaveLength(1);
    for (const holder of ['b', 'c', 'd', 'e']) expect((await flush(ports, holder, [])).rejected).toHaveLength(1);
    world.topic = 'takes';
    expect((await flush(ports, 'f', [])).rejected).toHaveLength(0);
    expect(received).toEqual([anAlert(1).id]);
    expect(await kept()).toEqual([]);
  });

  test('one that is refused keeps no other from being delivered; of many that are refused, few are tried', async () => {
    const { ports, world, received } = anOutbox();
    world.topic = 'refuses one';
    const events = ['purged', 'defrag-started', 'defrag-finished', 'foreign-defrag', 'lease-lost'] as const;
    const many = events.map((event, n) => anAlert(n, event));
    expect((await flush(ports, 'a', many)).rejected).toHaveLength(1);
    expect(received).toHaveLength(4);
    world.topic = 'refuses';
    expect((await flush(ports, 'b', many)).rejected).toHaveLength(5);
  });

  test('two jobs at once deliver each alert once', async () => {
    const { ports, world, received } = anOutbox();
    await enqueue(ports, 'dead', [anAlert(1), anAlert(2), anAlert(3)]);
    world.now += FRESH;
    await Promise.all([flush(ports, 'a', []), flush(ports, 'b', [])]);
    expect(received.toSorted()).toEqual([1, 2, 3].map((n) => anAlert(n).id));
  });

  test('an alert that was entrusted in the same tick is not told twice', async () => {
    const { ports, received } = anOutbox();
    await enqueue(ports, 'a', [anAlert(1)]);
    await flush(ports, 'a', [anAlert(1)]);
    expect(received).toEqual([anAlert(1).id]);
  });

  test('a store that is down keeps nothing from being told', async () => {
    const down = async () => {
      throw new StateUnavailable('the state is down');
    };
    const { ports, received, logs } = anOutbox({ list: down, read: down, readAll: down, write: down, remove: down });
    expect((await flush(ports, 'a', [anAlert(1)])).rejected).toHaveLength(0);
    expect(received).toEqual([anAlert(1).id]);
    expect(logs).toContain('alert not stored in the outbox');
  });

  test('what another version has written is left for it, said, and in nobody’s way', async () => {
    const { ports, store, received, logs, kept } = anOutbox();
    await store.write(`${OUTBOX}odd`, { alert: { schema: 'offpeak/alert@9' } }, undefined);
    await flush(ports, 'a', [anAlert(1)]);
    expect(received).toEqual([anAlert(1).id]);
    expect(await kept()).toEqual([`${OUTBOX}odd`]);
    expect(logs).toContain('alert in the outbox has an unknown form');
  });

  test('an alert that an older version has queued is sent under the present name of its event', async () => {
    const { ports, store, messages, world } = anOutbox();
    const old = {
      ...anAlert(1),
      event: 'cure-ineffective',
      id: 'test/carts/carts.redis.example:6379/cure-ineffective/1',
    };
    const entry = { alert: old, entrustedAt: world.now, holder: 'old', heldUntil: 0, sendings: 0 };
    await store.write(OUTBOX + old.id, entry, undefined);
    expect(await isEnqueued(ports.store, ['test', 'carts', 'carts.redis.example:6379'], world.now)).toBe(true);
    await flush(ports, 'a', []);
    expect(messages).toEqual([{ ...old, event: 'action-ineffective' }]);
  });

  test('knows whether the end of an action is in it', async () => {
    const { ports, store, world } = anOutbox();
    const place = ['test', 'carts', 'carts.redis.example:6379'];
    await enqueue(ports, 'a', [anAlert(1, 'defrag-started')]);
    expect(await isEnqueued(store, place, 0)).toBe(false);
    await enqueue(ports, 'a', [anAlert(1)]);
    expect(await isEnqueued(store, place, 0)).toBe(true);
    expect(await isEnqueued(store, place, world.now + 1)).toBe(false);
    expect(await isEnqueued(store, ['test', 'carts', 'carts.redis.example:63'], 0)).toBe(false);
  });

  test.each<[Alert['event'], string, boolean]>([
    ['purged', '', true],
    ['action-ineffective', '', true],
    ['defrag-finished', '', true],
    ['defrag-aborted', '', true],
    ['action-failed', 'purge/', true],
    ['action-failed', 'stop-defrag/', false],
    ['defrag-started', '', false],
    ['settings-changed', '', false],
    ['foreign-defrag', '', false],
    ['state-unavailable', '', false],
  ])('%s (%j) tells the end of a purge: %s', async (event, detail, expected) => {
    const { ports, store } = anOutbox();
    const place = ['test', 'carts', 'carts.redis.example:6379'];
    await enqueue(ports, 'a', [{ ...anAlert(1, event), id: `${place.join('/')}/${event}/${detail}1` }]);
    expect(await isEnqueued(store, place, 0)).toBe(expected);
  });

  test('an alert whose first write fails is kept by the second, and one whose answer was lost counts as kept', async () => {
    const store = createFileStore(join(folder, randomUUID()));
    let calls = 0;
    const flaky = (before: boolean): StateStore => ({
      ...store,
      async write(key, value, expected) {
        const isFirst = ++calls === 1;
        if (isFirst && before) throw new StateUnavailable('throttled');
        const written = await store.write(key, value, expected);
        if (isFirst) throw new StateUnavailable('no answer');
        return written;
      },
    });
    for (const [n, before] of [true, false].entries()) {
      calls = 0;
      const { ports } = anOutbox(flaky(before));
      expect(await enqueue(ports, 'a', [anAlert(n)])).toEqual([]);
    }
    expect((await store.list(OUTBOX)).size).toBe(2);
  });

  describe('F11: what happened to many nodes', () => {
    // A file is written anew for each of its documents: for so many of them, the model's store.
    const inMemory = () => anOutbox(aStore().store);
    const MANY = stormOfKind(300, 'unsupported');
    const idsOf = (messages: readonly Alert[]) =>
      messages.flatMap(({ id, members }) => members?.map((member) => member.id) ?? [id]).toSorted();
    const IDS = idsOf(MANY);

    test('is one message, after which nothing is kept', async () => {
      const { ports, messages, kept, logs } = inMemory();
      expect(await flush(ports, 'a', MANY)).toEqual({ sent: 1, rejected: [] });
      expect(messages).toHaveLength(1);
      expect(idsOf(messages)).toEqual(IDS);
      expect(await kept()).toEqual([]);
      // In full: a digest has no room for the figures and the remedy of each.
      expect(logs.filter((line) => line === 'sent in a digest')).toHaveLength(300);
    });

    test('leaves the outbox when the topic has taken its message, not before', async () => {
      const { ports, world, messages, kept } = inMemory();
      world.topic = 'refuses';
      expect((await flush(ports, 'a', MANY)).rejected).toHaveLength(1);
      expect(await kept()).toHaveLength(300);
      world.topic = 'takes';
      expect((await flush(ports, 'b', [])).rejected).toEqual([]);
      expect(idsOf(messages)).toEqual(IDS);
      expect(await kept()).toEqual([]);
    });

    test('is repeated once for a job that died as it was sent, under the same id, whatever has happened since', async () => {
      const { ports, world, messages, kept } = inMemory();
      world.topic = 'kills the job';
      void flush(ports, 'first', MANY.slice(0, 200));
      await expect.poll(() => messages.length).toBe(1);
      world.now += FRESH;
      world.topic = 'takes';
      await flush(ports, 'second', MANY.slice(200));
      const [first, second, third] = messages;
      expect(messages).toHaveLength(3);
      expect(second?.id).toBe(first?.id);
      expect(second?.members).toEqual(first?.members);
      expect(idsOf(third ? [third] : [])).toEqual(idsOf(MANY.slice(200)));
      expect(third?.id).not.toBe(first?.id);
      expect(await kept()).toEqual([]);
    });

    test('is told by one of two jobs at once, in one message', async () => {
      const { ports, world, messages, kept } = inMemory();
      await enqueue(ports, 'dead', MANY);
      world.now += FRESH;
      await Promise.all([flush(ports, 'a', []), flush(ports, 'b', [])]);
      expect(messages).toHaveLength(1);
      expect(idsOf(messages)).toEqual(IDS);
      expect(await kept()).toEqual([]);
    });

    test('in many ticks while the topic was down is told in few messages when it is back, nothing of it twice', async () => {
      const { ports, world, messages, kept } = inMemory();
      world.topic = 'refuses';
      for (let tick = 0; tick < 12; tick++) {
        const ofTick = stormOf(25).map((alert) => ({ ...alert, id: `${alert.id}/${tick}` }));
        await flush(ports, `tick-${tick}`, ofTick);
        world.now += FRESH;
      }
      expect(await kept()).toHaveLength(300);
      world.topic = 'takes';
      await flush(ports, 'last', []);
      expect(messages.length).toBeLessThanOrEqual(10);
      expect(new Set(idsOf(messages)).size).toBe(300);
      expect(idsOf(messages)).toHaveLength(300);
      expect(await kept()).toEqual([]);
    });

    test('is told in one message where the store is down, too, under the same id each time', async () => {
      const down = async () => {
        throw new StateUnavailable('the state is down');
      };
      const { ports, messages } = anOutbox({ list: down, read: down, readAll: down, write: down, remove: down });
      for (const holder of ['a', 'b']) await flush(ports, holder, MANY);
      expect(messages.map(({ members }) => members?.length)).toEqual([300, 300]);
      expect(messages[1]?.id).toBe(messages[0]?.id);
    });

    test('without time to keep it is told at once, and what is kept waits for the next tick', async () => {
      const { ports, messages, kept } = inMemory();
      expect((await flush(ports, 'a', MANY, { hasTime: () => false })).rejected).toEqual([]);
      expect(idsOf(messages)).toEqual(IDS);
      await enqueue(ports, 'b', MANY);
      const [extra] = stormOfKind(1, 'foreign');
      let asked = 0;
      // Enough for the one that is new, and for the first claim.
      const { rejected } = await flush(ports, 'b', extra ? [extra] : [], { hasTime: () => ++asked <= 2 });
      expect(rejected).toHaveLength(2);
      for (const { why } of rejected) expect(why).toContain('no time is left');
      expect((await kept()).length).toBeGreaterThanOrEqual(300);
      await flush(ports, 'b', []);
      expect(await kept()).toEqual([]);
      expect(new Set(idsOf(messages.slice(1)))).toEqual(new Set([...IDS, extra?.id]));
    });

    test('of more than a thousand events the oldest are told first, and the rest with the next tick', async () => {
      const { ports, messages, kept, logs, world } = inMemory();
      await enqueue(ports, 'a', stormOfKind(1_000, 'unsupported'));
      world.now += 1;
      const late = stormOfKind(200, 'foreign');
      await flush(ports, 'a', late);
      expect(messages.map(({ event, members }) => [event, members?.length])).toEqual([['defrag-unsupported', 1_000]]);
      expect(logs).toContain('more alerts than are sent at once: the next tick continues');
      await flush(ports, 'a', []);
      expect(messages.at(-1)).toMatchObject({ event: 'foreign-defrag' });
      expect(await kept()).toEqual([]);
    });
  });

  test('is not kept for ever', () => expect(lifetimeOf(`${OUTBOX}x`, {})).toBe(OUTBOX_LIFETIME));
});
