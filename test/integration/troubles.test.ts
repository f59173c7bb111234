import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../core/adapters/clock.ts';
import { MIB, MINUTE } from '../../core/config/units.ts';
import type { Alert } from '../../core/domain/alert.ts';
import type { Ports } from '../../core/ports/ports.ts';
import { StateUnavailable } from '../../core/ports/state-store.ts';
import { HISTORY as NODE_DOCUMENTS, OUTBOX } from '../../core/state/keys.ts';
import { infoText } from '../support/info-texts.ts';
import { aJob, type Job } from '../support/job.ts';
import { bulk, infoServer, type OddServer } from '../support/odd-server.ts';
import { patient } from '../support/patient.ts';

/** Too many for alarms of their own: the job itself has to name them. */
const NODES = 60;
const host = (n: number) => `127.0.1.${n}`;
const TIDY = { used: 100 * MIB, rss: 110 * MIB };
const NEAR = { used: 900 * MIB, rss: 950 * MIB };

type Memory = typeof TIDY | 'silent';

describe('two and more nodes in trouble, in a fleet of 60', () => {
  /** One process that answers as all of them; each by what the captured text of a real server says. */
  let fleet: OddServer;
  let memory: Map<string, Memory>;
  let now: number;
  let job: Job;

  beforeAll(async () => {
    const text = infoText('redis-7.0.15');
    fleet = await infoServer((_, socket) => {
      const { localAddress = '' } = socket;
      const state = memory.get(localAddress) ?? TIDY;
      if (state === 'silent') return void socket.destroy();
      const fields = {
        run_id: localAddress.replaceAll('.', '0').padEnd(40, 'f'),
        used_memory: state.used,
        used_memory_rss: state.rss,
        total_system_memory: 64 * 1024 * MIB,
      };
      return bulk(
        Object.entries(fields).reduce(
          (all, [name, value]) => all.replace(new RegExp(`^${name}:.*`, 'm'), `${name}:${value}`),
          text,
        ),
      );
    }, '0.0.0.0');
  });
  afterAll(() => fleet?.[Symbol.asyncDispose]());
  beforeEach(() => {
    memory = new Map();
    now = Date.parse('2026-11-26T09:00:00Z');
    job = newJob();
  });
  afterEach(() => job[Symbol.dispose]());

  const instances = (count: number) =>
    Array.from(
      { length: count },
      (_, n) => `  - { id: cache-${n}, url: "redis://${host(n)}:${fleet.port}", memoryLimit: 1GiB }\n`,
    );
  const yaml = (some: readonly string[]) => `notifications: { digest: never }\ninstances:\n${some.join('')}`;

  function newJob(
    over: {
      readonly stateFile?: string;
      readonly count?: number;
      readonly others?: (kept: Ports) => Partial<Ports>;
    } = {},
  ): Job {
    const clock = { ...systemClock(), now: () => now };
    const { count = NODES, stateFile, others = () => ({}) } = over;
    return aJob(yaml(instances(count)), {
      clock,
      ...(stateFile !== undefined && { stateFile }),
      others: (kept) => ({ open: patient(kept.open), ...others(kept) }),
    });
  }

  /** A tick, five minutes after the one before; returns what it has sent. */
  async function next(by: Job = job, holder = 'test'): Promise<readonly Alert[]> {
    now += 5 * MINUTE;
    const from = by.alerts.length;
    await by.tick({ holder });
    return by.alerts.slice(from);
  }
  const named = (alerts: readonly Alert[]) =>
    alerts.map(({ event, instance, severity }) => `${event} ${instance} ${severity}`);
  const documentsWritten = (by: Job) => by.ports.store.list(NODE_DOCUMENTS);

  test('one after the other: two messages that name them, and two that say when it is over', async () => {
    expect(await next()).toEqual([]);
    expect((await documentsWritten(job)).size).toBe(0);
    memory.set(host(7), NEAR);
    const first = await next();
    expect(named(first)).toEqual(['trouble-began cache-7 critical']);
    expect(first[0]).toMatchObject({
      node: `${host(7)}:${fleet.port}`,
      title: 'cache-7: RSS is near the memory limit',
      why: expect.stringMatching(
        /^In each check since Thu 09:10 UTC .*, RSS and the pages .* were 85 % or more of the memory limit\. /,
      ),
    });
    memory.set(host(31), NEAR);
    const second = await next();
    expect(named(second)).toEqual(['trouble-began cache-31 critical']);
    expect(await next()).toEqual([]);
    expect(job.metrics.findLast(({ name }) => name === 'NodesNearLimit')?.value).toBe(2);

    memory.delete(host(7));
    expect(await next()).toEqual([]);
    expect(named(await next())).toEqual(['trouble-over cache-7 critical']);
    memory.delete(host(31));
    expect([await next(), named(await next()), await next()]).toEqual([[], ['trouble-over cache-31 critical'], []]);
    expect([...(await documentsWritten(job)).values()].filter(({ value }) => 'troubles' in Object(value))).toEqual([]);
  });

  test('a node that does not answer: after two checks, with the reason, and again when it does', async () => {
    memory.set(host(3), 'silent');
    expect(await next()).toEqual([]);
    const [alert, ...more] = await next();
    expect(more).toEqual([]);
    expect(alert).toMatchObject({
      event: 'trouble-began',
      instance: 'cache-3',
      title: 'cache-3: a node does not answer',
    });
    expect(alert?.why).toMatch(
      /^In each check since Thu 09:05 UTC .*, the server did not answer\. 127\.0\.1\.3:\d+ cannot be reached/,
    );
    memory.delete(host(3));
    expect([await next(), named(await next())]).toEqual([[], ['trouble-over cache-3 critical']]);
  });

  test('half of the fleet at once is one message that names each of them', async () => {
    for (let n = 0; n < 30; n++) memory.set(host(n), 'silent');
    await next();
    const [digest, ...more] = await next();
    expect(more).toEqual([]);
    expect(digest?.members?.map(({ instance }) => instance).toSorted()).toEqual(
      Array.from({ length: 30 }, (_, n) => `cache-${n}`).toSorted(),
    );
    expect(digest).toMatchObject({
      event: 'trouble-began',
      severity: 'critical',
      title: '30 nodes: a node does not answer',
    });
  });

  test('a topic that takes nothing, and a job that is killed: the next one sends it, under the same id', async () => {
    const attempted: Alert[] = [];
    const alerts: Ports['alerts'] = {
      send(some) {
        attempted.push(...some);
        return new Promise<never>(() => {});
      },
    };
    memory.set(host(5), NEAR);
    const dying = newJob({ stateFile: job.stateFile, others: () => ({ alerts }) });
    now += 5 * MINUTE;
    // It is never heard of again: the delivery that it has begun does not end.
    void dying.tick({ holder: 'killed' });
    await expect.poll(() => attempted.length).toBe(1);
    now += 10 * MINUTE;
    const sent = await next();
    expect(sent.map(({ id }) => id)).toEqual(attempted.map(({ id }) => id));
    expect(await next()).toEqual([]);
    dying[Symbol.dispose]();
  });

  test.each([1, 2])(
    'a job that dies at its write number %i to the history: sent, at worst twice under one id',
    async (fatal) => {
      memory.set(host(5), NEAR);
      let writes = 0;
      const others = ({ store }: Ports): Partial<Ports> => ({
        store: {
          ...store,
          write: (key, ...rest) =>
            key.startsWith(NODE_DOCUMENTS) && ++writes >= fatal
              ? Promise.reject(new StateUnavailable('gone'))
              : store.write(key, ...rest),
        },
      });
      const dying = newJob({ stateFile: job.stateFile, others });
      const sent = [...(await next(dying, 'dying')), ...(await next()), ...(await next())];
      expect(writes).toBe(fatal);
      expect(named(sent)).toEqual(Array(fatal).fill('trouble-began cache-5 critical'));
      expect(new Set(sent.map(({ id }) => id)).size).toBe(1);
      dying[Symbol.dispose]();
    },
  );

  test('an outbox that takes nothing, while the topic takes nothing either: the next job sends it', async () => {
    memory.set(host(5), NEAR);
    const others = ({ store }: Ports): Partial<Ports> => ({
      alerts: { send: async (some) => ({ sent: 0, rejected: some.map(({ id }) => ({ what: id, why: 'no topic' })) }) },
      store: {
        ...store,
        write: (key, ...rest) =>
          key.startsWith(OUTBOX) ? Promise.reject(new StateUnavailable('throttled')) : store.write(key, ...rest),
      },
    });
    const deaf = newJob({ stateFile: job.stateFile, others });
    await next(deaf, 'deaf');
    expect(named(await next())).toEqual(['trouble-began cache-5 critical']);
    expect(await next()).toEqual([]);
    deaf[Symbol.dispose]();
  });

  test('a store that is down: no message, nothing forgotten, and the count of the net goes on', async () => {
    memory.set(host(9), NEAR);
    expect(named(await next())).toEqual(['trouble-began cache-9 critical']);
    const down = () => Promise.reject(new StateUnavailable('the table is gone'));
    const others = ({ store }: Ports): Partial<Ports> => ({ store: { ...store, read: down, list: down, write: down } });
    const cut = newJob({ stateFile: job.stateFile, others });
    memory.set(host(10), NEAR);
    expect((await next(cut, 'cut')).map(({ event }) => event)).toEqual(['state-unavailable']);
    expect(cut.metrics.findLast(({ name }) => name === 'NodesNearLimit')?.value).toBe(2);
    expect(named(await next())).toEqual(['trouble-began cache-10 critical']);
    memory.clear();
    expect(await next()).toEqual([]);
    expect(named(await next())).toEqual(['trouble-over cache-10 critical', 'trouble-over cache-9 critical']);
    cut[Symbol.dispose]();
  });

  test('a tick of one instance reports its nodes, and a tick of one node does not', async () => {
    memory.set(host(4), NEAR);
    now += 5 * MINUTE;
    const nodes = [{ instance: 'cache-4', node: `${host(4)}:${fleet.port}` }];
    await job.tick({ scope: { kind: 'nodes', nodes } });
    await job.tick({ scope: { kind: 'leased-nodes', nodes } });
    await job.tick({ scope: { kind: 'instances', ids: ['cache-5'] } });
    expect(job.alerts).toEqual([]);
    await job.tick({ scope: { kind: 'instances', ids: ['cache-4'] } });
    expect(named(job.alerts)).toEqual(['trouble-began cache-4 critical']);
    expect(await next()).toEqual([]);
  });

  test('a node that leaves the config: its end is said, and it begins anew when it comes back', async () => {
    memory.set(host(59), NEAR);
    expect(named(await next())).toEqual(['trouble-began cache-59 critical']);
    const smaller = newJob({ stateFile: job.stateFile, count: 59 });
    const [over, ...more] = await next(smaller);
    expect(more).toEqual([]);
    expect(over).toMatchObject({
      event: 'trouble-over',
      instance: 'cache-59',
      node: `${host(59)}:${fleet.port}`,
      title: 'cache-59: a node in trouble is no longer checked',
    });
    expect(await next(smaller)).toEqual([]);
    expect(named(await next())).toEqual(['trouble-began cache-59 critical']);
    smaller[Symbol.dispose]();
  });

  test('up to 25 nodes, alarms of CloudWatch watch each node: no message, and nothing is left of a larger fleet', async () => {
    memory.set(host(2), NEAR);
    expect(named(await next())).toEqual(['trouble-began cache-2 critical']);
    const small = newJob({ stateFile: job.stateFile, count: 25 });
    expect([await next(small), await next(small)]).toEqual([[], []]);
    expect([...(await documentsWritten(small)).values()].filter(({ value }) => 'troubles' in Object(value))).toEqual(
      [],
    );
    small[Symbol.dispose]();
  });
});
