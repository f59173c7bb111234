import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import { isOfConfig } from '../../core/domain/outcome.ts';
import { type GoodServer, goodServer } from '../support/beside-good.ts';
import { clientOf } from '../support/fragmented.ts';
import { SMALL_FLOORS } from '../support/job.ts';
import { planOf, troubleOf } from '../support/outcomes.ts';
import { defragServer, lacksServer, plainServer } from '../support/servers.ts';

const PASSWORD = 'battery-staple-7c1f';
const WRONG_PASSWORD = 'hunter2-0d9e4a';

describe.skipIf(lacksServer('plain'))('beside a good node', () => {
  let good: GoodServer;
  beforeAll(async () => {
    good = await goodServer(plainServer({ args: ['--repl-diskless-sync-delay', '0'] }));
  });
  afterAll(async () => {
    await good?.[Symbol.asyncDispose]();
  });

  test('a process that is stopped (SIGSTOP) is unreachable, and seen again once it goes on', async () => {
    await using server = await plainServer();
    process.kill(server.pid, 'SIGSTOP');
    try {
      const outcome = await good.tickBeside(server);
      expect(outcome.kind).toBe('unreachable');
      expect(troubleOf(outcome)).toMatchObject({
        kind: 'timeout',
        message: expect.stringContaining('did not answer within'),
      });
    } finally {
      process.kill(server.pid, 'SIGCONT');
    }
    expect(await good.tickBeside(server)).toMatchObject({ kind: 'observed' });
  });

  test('a server that is busy with a script says so, and is seen again once that is killed', async () => {
    await using server = await plainServer({ args: ['--lua-time-limit', '50'] });
    const [runner, killer] = [clientOf(server), clientOf(server)];
    const script = runner.eval('while true do end', 0).catch(String);
    try {
      await expect.poll(() => killer.ping().catch(String), { timeout: 60_000 }).toContain('BUSY');
      const outcome = await good.tickBeside(server);
      expect(outcome.kind).toBe('unreachable');
      expect(troubleOf(outcome)).toMatchObject({
        kind: 'refused',
        message: expect.stringMatching(/^INFO was refused: BUSY /),
      });
    } finally {
      await killer.script('KILL');
      expect(await script).toMatch(/killed by user/i);
      for (const client of [runner, killer]) client.disconnect();
    }
    expect(await good.tickBeside(server)).toMatchObject({ kind: 'observed' });
  });

  test('a server whose maxclients are all taken says so', async () => {
    await using server = await plainServer({ args: ['--maxclients', '1'] });
    const taker = clientOf(server);
    await expect.poll(() => taker.ping().catch(String)).toBe('PONG');
    const outcome = await good.tickBeside(server);
    taker.disconnect();
    expect(outcome.kind).toBe('unreachable');
    expect(troubleOf(outcome)).toMatchObject({ kind: 'refused', message: expect.stringContaining('maxclients') });
  });

  test('a server that is asked for TLS and speaks none', async () => {
    await using server = await plainServer();
    const outcome = await good.tickBeside({ url: `rediss://127.0.0.1:${server.port}` });
    expect(outcome.kind).toBe('unreachable');
    // Redis answers the client's hello with silence or with an error in clear, depending on its random bytes.
    expect(troubleOf(outcome)?.kind).toBeOneOf(['tls', 'timeout', 'unreachable']);
    expect(troubleOf(outcome)?.message).toContain(`127.0.0.1:${server.port}`);
  });

  test.skipIf(lacksServer('defrag'))('a replica that loads its data is seen, and left alone for it', async () => {
    const filling = good.redis.pipeline();
    for (let key = 0; key < 4000; key += 1) filling.set(`key:${key}`, 'x'.repeat(200));
    await filling.exec();
    const slowly = ['--key-load-delay', '2000', '--loading-process-events-interval-bytes', '1024'];
    await using server = await defragServer({ args: slowly });
    const client = clientOf(server);
    await client.replicaof('127.0.0.1', good.server.port);
    await expect.poll(() => client.info('persistence'), { timeout: 60_000 }).toContain('\nloading:1');
    const outcome = await good.tickBeside({ url: server.url, settings: '    defrag: { minReclaim: 0 }' });
    client.disconnect();
    await good.redis.flushall();
    expect(outcome).toMatchObject({
      kind: 'observed',
      before: { observation: { persistence: { loading: true } } },
    });
    expect(planOf(outcome)).toMatchObject({ kind: 'skip', reason: 'loading', instead: { action: 'start-defrag' } });
  });

  describe('that asks for credentials', () => {
    let server: RunningServer;
    const asUser = (username: string) => `    credentials: { username: ${username}, password: "env:BAD_PASSWORD" }`;
    const asDefault = '    credentials: { password: "env:BAD_PASSWORD" }';
    const right = { BAD_PASSWORD: PASSWORD };

    beforeAll(async () => {
      server = await plainServer({ args: ['--requirepass', PASSWORD] });
      const admin = new Redis(server.port, { host: server.host, password: PASSWORD, protocol: 2 });
      await admin.acl('SETUSER', 'blind', 'on', `>${PASSWORD}`, '+ping');
      admin.disconnect();
    });
    afterAll(async () => {
      await server?.stop();
    });

    test('the right one opens it, and is written nowhere', async () => {
      const bad = { url: server.url, settings: `${asDefault}${SMALL_FLOORS}`, env: right };
      expect(await good.tickBeside(bad)).toMatchObject({ kind: 'observed' });
    });

    test.each([
      [
        'a wrong password',
        asDefault,
        { BAD_PASSWORD: WRONG_PASSWORD },
        'wrong-credentials',
        /: WRONGPASS\. .*the user is default/,
      ],
      [
        'a user that nobody has made',
        asUser('nobody'),
        right,
        'wrong-credentials',
        /: WRONGPASS\. Check credentials\.username/,
      ],
      ['no password', '', {}, 'wrong-credentials', /^INFO was refused: NOAUTH .*Set credentials\.password/],
      [
        'a variable that is not set',
        asDefault,
        {},
        'config-problem',
        /: the environment variable BAD_PASSWORD is not set$/,
      ],
      [
        'an empty variable',
        asDefault,
        { BAD_PASSWORD: '' },
        'config-problem',
        /: the environment variable BAD_PASSWORD is not set$/,
      ],
      ['a user that may not ask for INFO', asUser('blind'), right, 'refused', /^INFO was refused: NOPERM .*info/],
    ] as const)('%s', async (_, settings, env, kind, message) => {
      const outcome = await good.tickBeside({
        url: server.url,
        settings: `${settings}${SMALL_FLOORS}`,
        env,
      });
      expect(outcome).toMatchObject({
        kind: isOfConfig(kind) ? kind : 'unreachable',
        problem: { kind, message: expect.stringMatching(message), expected: true },
      });
    });
  });
});
