import { describe, expect, test, vi } from 'vitest';
import { startServer } from '../../cli/lab/start.ts';
import { clientOf, settingsOf } from '../support/fragmented.ts';
import { aJob } from '../support/job.ts';
import { lacksServer, plainServer, serverBinary } from '../support/servers.ts';
import { DEFRAG_ON, type Fault, MEMORY_PURGE, NO_FAULT } from './redis-proxy.ts';
import { aPlace, aScene, configAt, outcomeOf, type Scene, sceneAt, seen } from './scene.ts';
import { faultTable } from './table.ts';

/** `DEBUG` at all; and a server that answers while it loads. */
const DEBUGGED = ['--enable-debug-command', 'yes', '--loading-process-events-interval-bytes', '1024'];
const table = faultTable(import.meta.filename);
const isLacking = lacksServer('defrag') || lacksServer('plain');

/** Something that goes wrong while our defrag runs, and how it ends. */
interface Trouble {
  readonly fault: string;
  begin(scene: Scene): unknown;
  end(scene: Scene): unknown;
}

const onTheWay = (fault: string, kind: Fault): Trouble => ({
  fault,
  begin: ({ proxy }) => proxy.fault(kind),
  end: ({ proxy }) => proxy.fault(NO_FAULT),
});

const TROUBLES: readonly Trouble[] = [
  onTheWay('half-open connection', { kind: 'half-open' }),
  onTheWay('connection refused', { kind: 'refusing' }),
  onTheWay('answers 300 ms late', { kind: 'slow', ms: 300 }),
  onTheWay('garbage instead of RESP', { kind: 'garbage' }),
  {
    fault: 'SIGSTOP',
    begin: ({ server }) => process.kill(server.pid, 'SIGSTOP'),
    end: ({ server }) => process.kill(server.pid, 'SIGCONT'),
  },
  {
    fault: 'CLIENT PAUSE',
    begin: ({ redis }) => redis.call('CLIENT', 'PAUSE', '8000', 'ALL'),
    end: ({ redis }) => redis.ping(),
  },
  {
    fault: 'DEBUG SLEEP',
    begin: ({ redis }) => void redis.call('DEBUG', 'SLEEP', '6').catch(() => {}),
    end: ({ redis }) => redis.ping(),
  },
  {
    fault: 'BUSY script',
    begin: async ({ redis, server }) => {
      await redis.config('SET', 'busy-reply-threshold', '50');
      const other = clientOf(server);
      other.eval('while true do end', 0).catch(() => other.disconnect());
      await new Promise((resolve) => setTimeout(resolve, 500));
    },
    end: async ({ redis }) => {
      await redis.script('KILL');
      // The script ends at its next instruction.
      await vi.waitFor(() => redis.config('SET', 'busy-reply-threshold', '5000'), { timeout: 20_000, interval: 50 });
    },
  },
  {
    fault: 'LOADING its data again',
    begin: async ({ redis, server }) => {
      await redis.config('SET', 'key-load-delay', '2000');
      const other = clientOf(server);
      other
        .call('DEBUG', 'RELOAD')
        .catch(() => {})
        .finally(() => other.disconnect());
      await seen(redis, 'persistence', '\nloading:1');
    },
    end: async ({ redis }) => {
      await seen(redis, 'persistence', '\nloading:0');
      await redis.config('SET', 'key-load-delay', '0');
    },
  },
  {
    fault: 'maxclients reached',
    begin: async ({ redis }) => redis.config('SET', 'maxclients', '1'),
    end: async ({ redis }) => redis.config('SET', 'maxclients', '10000'),
  },
  {
    fault: 'NOPERM for CONFIG SET from now on',
    begin: async ({ redis, pause }) => {
      await redis.call('ACL', 'SETUSER', 'default', '-config|set');
      await pause();
    },
    end: ({ redis }) => redis.call('ACL', 'SETUSER', 'default', '+config|set'),
  },
];

describe.skipIf(isLacking).concurrent('while our defrag runs', () => {
  const troubles = TROUBLES.map((trouble) => ({
    ...trouble,
    expectRow: table.row(`${trouble.fault}, during a defrag`),
  }));
  test.for(troubles)('$fault', async ({ begin, end, expectRow }) => {
    await using scene = await aScene('defrag', DEBUGGED);
    const before = await settingsOf(scene.redis);
    await scene.start();
    await begin(scene);
    scene.pass(60_000);
    const outcome = await scene.tick();
    await end(scene);
    expectRow({ outcome, ...(await scene.cleanUp(before)), told: scene.told() });
  });

  const failedOver = table.row('failed over to its replica, during a defrag');
  test('its replica takes over', async () => {
    await using scene = await aScene('defrag');
    const { port } = scene.server;
    await using replica = await plainServer({ args: ['--replicaof', `127.0.0.1 ${port}`] });
    await seen(scene.redis, 'replication', 'state=online');
    const before = await settingsOf(scene.redis);
    await scene.start();
    await scene.redis.call('FAILOVER');
    await seen(scene.redis, 'replication', 'role:slave');
    scene.pass(60_000);
    // Whether it leaves pages that are worth a purge depends on how far it has come by then.
    const outcome = (await scene.tick()).replace(/; acted: purge$/, '');
    const primary = `127.0.0.1 ${replica.port}`;
    const cleaned = await scene.cleanUp({ ...before, replicaof: primary, slaveof: primary });
    failedOver({ outcome, ...cleaned, told: scene.told() });
  });

  const mistakenTls = table.row('TLS asked for in mid-defrag');
  test('TLS where the server speaks none', async () => {
    await using place = await aPlace('defrag');
    const before = await settingsOf(place.redis);
    await using scene = sceneAt(place);
    await scene.start();
    using mistaken = aJob(configAt(place, 'rediss'), { stateFile: scene.job.stateFile });
    // Redis answers the client's hello with silence or with an error in clear, depending on its random bytes.
    const outcome = outcomeOf(await mistaken.tick()).replace(/: (tls|timeout|unreachable)$/, ': tls');
    mistakenTls({ outcome, ...(await scene.cleanUp(before)), told: scene.told() });
  });

  const noTime = table.row('no time left, during a defrag');
  test('no time left to the invocation', async () => {
    await using scene = await aScene('defrag');
    const before = await settingsOf(scene.redis);
    expect(await scene.tick({ remaining: () => 0 })).toBe('observed: not-enough-time');
    expect(await settingsOf(scene.redis)).toEqual(before);
    await scene.start();
    scene.pass(60_000);
    const outcome = await scene.tick({ remaining: () => 0 });
    noTime({ outcome, ...(await scene.cleanUp(before)), told: scene.told() });
  });

  const startedAgain = table.row('killed during a defrag, started again');
  test('killed and started again', async () => {
    await using scene = await aScene('defrag');
    const before = await settingsOf(scene.redis);
    await scene.start();
    process.kill(scene.server.pid, 'SIGKILL');
    scene.pass(60_000);
    const outcome = await scene.tick();
    await using again = await startServer(serverBinary('defrag'), { port: scene.server.port });
    const redis = clientOf(again);
    try {
      // Its folder is another one; all else has to be as in the first one's file.
      const { dir } = await settingsOf(redis);
      const cleaned = await scene.cleanUp({ ...before, ...(dir !== undefined && { dir }) }, redis);
      startedAgain({ outcome, ...cleaned, told: scene.told() });
    } finally {
      redis.disconnect();
    }
  });
});

describe.skipIf(isLacking).concurrent('what others do meanwhile, and what comes late', () => {
  const late = table.row('CONFIG SET arrives when its lease has been given up');
  test('a start that nobody waits for any more', async () => {
    await using scene = await aScene('defrag');
    const before = await settingsOf(scene.redis);
    scene.proxy.fault({ kind: 'held', command: DEFRAG_ON });
    const outcome = await scene.tick();
    scene.pass(60_000);
    await scene.pause();
    expect(await scene.tick()).toBe('acted: stop-defrag');
    scene.proxy.arrive();
    await vi.waitFor(async () =>
      expect(await scene.redis.config('GET', 'activedefrag')).toEqual(['activedefrag', 'yes']),
    );
    late({ outcome, ...(await scene.cleanUp(before)), told: scene.told() });
  });

  const slowList = table.row('another job starts a defrag while this one still reads the leases');
  test('a look is never older than the leases', async () => {
    await using place = await aPlace('defrag');
    const before = await settingsOf(place.redis);
    const { promise: isStarted, resolve: start } = Promise.withResolvers<void>();
    await using first = sceneAt(place);
    let seenAt: number | undefined;
    await using second = sceneAt(place, {
      stateFile: first.job.stateFile,
      ports: ({ store, clock }) => ({
        // Its time stands still, so that a look before the lease would not be taken again for its age.
        clock: { ...clock, now: () => seenAt ?? clock.now() },
        store: {
          ...store,
          async list(prefix) {
            if (prefix === 'lease#') await isStarted;
            return await store.list(prefix);
          },
        },
      }),
    });
    const reading = second.tick({ holder: 'second' });
    await new Promise((resolve) => setTimeout(resolve, 500));
    seenAt = Date.now();
    expect(await first.tick({ holder: 'first' })).toBe('acted: start-defrag');
    start();
    const outcome = await reading;
    expect(await place.redis.config('GET', 'activedefrag')).toEqual(['activedefrag', 'yes']);
    slowList({ outcome, ...(await first.cleanUp(before)), told: first.told() });
  });
});

const CUTS = [
  ['CONFIG SET lost before it arrives', 'defrag', { kind: 'cut', command: DEFRAG_ON, when: 'before' }],
  ['CONFIG SET carried out, its answer lost', 'defrag', { kind: 'cut', command: DEFRAG_ON, when: 'after' }],
  ['MEMORY PURGE lost before it arrives', 'purge', { kind: 'cut', command: MEMORY_PURGE, when: 'before' }],
  ['MEMORY PURGE carried out, its answer lost', 'purge', { kind: 'cut', command: MEMORY_PURGE, when: 'after' }],
] as const;

describe.skipIf(isLacking).concurrent('cut in the middle of a command', () => {
  const cuts = CUTS.map(([fault, ...rest]) => [fault, ...rest, table.row(fault)] as const);
  test.for(cuts)('%s', async ([_, action, cut, expectRow]) => {
    await using scene = await aScene(action);
    const before = await settingsOf(scene.redis);
    scene.proxy.fault(cut);
    const outcome = await scene.tick();
    expectRow({ outcome, ...(await scene.cleanUp(before)), told: scene.told() });
  });
});
