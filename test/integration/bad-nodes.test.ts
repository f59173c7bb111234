import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MIB } from '../../core/config/units.ts';
import { type GoodServer, goodServer } from '../support/beside-good.ts';
import { bulk, infoServer, type OddServer, OK, oddServer, respServer } from '../support/odd-server.ts';
import { lookOf, planOf, troubleOf } from '../support/outcomes.ts';
import { reportInfo } from '../support/reports.ts';
import { lacksServer, plainServer } from '../support/servers.ts';

const INFO = readFileSync(new URL('../fixtures/info/redis-7.0.15.txt', import.meta.url), 'utf8');
/** Every byte but the four highest, in an order that no protocol has. */
const NOISE = Buffer.from(Array.from({ length: 4096 }, (_, index) => (17 + index * 7919) % 251));

describe.skipIf(lacksServer('plain'))('beside a good node', () => {
  let good: GoodServer;
  beforeAll(async () => {
    good = await goodServer(plainServer());
  });
  afterAll(async () => {
    await good?.[Symbol.asyncDispose]();
  });

  test('nobody listens', async () => {
    const gone = await oddServer(() => undefined);
    await gone[Symbol.asyncDispose]();
    const outcome = await good.tickBeside({ url: addressOf(gone) });
    const message = `127.0.0.1:${gone.port} cannot be reached: ECONNREFUSED (nothing listens on that port: check it, and that the server runs)`;
    expect(outcome).toMatchObject({
      kind: 'unreachable',
      problem: { kind: 'unreachable', message, expected: true },
    });
  });

  test('nobody has that name', async () => {
    const outcome = await good.tickBeside({ url: 'redis://no-such-host.invalid:6379' });
    expect(outcome.kind).toBe('unreachable');
    // Where there is no resolver either, its silence is a time-out.
    expect(troubleOf(outcome)?.kind).toBeOneOf(['unreachable', 'timeout']);
    expect(troubleOf(outcome)?.message).toMatch(/^no-such-host\.invalid:6379 /);
  });

  type Row = readonly [what: string, start: () => Promise<OddServer>, kind: string, message: RegExp];
  const rows: readonly Row[] = [
    ['says nothing', () => oddServer(() => undefined), 'timeout', /did not answer within 2000 ms$/],
    ['hangs up at once', () => oddServer((socket) => socket.end()), 'unreachable', /cannot be reached: /],
    ['resets at once', () => oddServer((socket) => socket.resetAndDestroy()), 'unreachable', /cannot be reached: /],
    ['answers HTTP', () => oddServer(answerHttp), 'not-redis', /answers, but not in the protocol of Redis$/],
    [
      'greets like a mail server',
      () => oddServer(greetAsMail),
      'not-redis',
      /answers, but not in the protocol of Redis$/,
    ],
    ['says that it is full', () => oddServer(sayFull), 'refused', /closes the connection: all of its maxclients/],
    [
      'is in protected mode',
      () => oddServer(sayProtected),
      'refused',
      /closes the connection: it is in protected mode/,
    ],
    [
      'sends half an INFO and then nothing',
      () => infoServer(() => '$500\r\n# Ser'),
      'timeout',
      /did not answer within/,
    ],
    ['sends half an INFO and hangs up', () => infoServer(halfThenEnd), 'unreachable', /cannot be reached: /],
    [
      'announces an INFO of 99 GB',
      () => infoServer(() => '$99999999999\r\n# Ser'),
      'not-redis',
      /sent a text of more than 8 MiB\. /,
    ],
    ['sends noise for INFO', () => infoServer(() => NOISE), 'not-redis', /answers, but not in the protocol of Redis$/],
    ['has noise as its INFO', () => infoServer(() => bulk(NOISE)), 'not-redis', /without any field of Redis$/],
    ['has an empty INFO', () => infoServer(() => bulk('')), 'not-redis', /without any field of Redis$/],
    ['has a number as its INFO', () => infoServer(() => ':42\r\n'), 'not-redis', /INFO did not return a text$/],
    [
      'has a list as its INFO',
      () => infoServer(() => '*2\r\n:1\r\n$1\r\na\r\n'),
      'not-redis',
      /did not return a text$/,
    ],
    ['has nil as its INFO', () => infoServer(() => '$-1\r\n'), 'not-redis', /INFO did not return a text$/],
    ['refuses INFO in escape sequences', () => infoServer(refuseInColours), 'refused', /^INFO was refused: ERR /],
  ];

  test.each(rows)('it %s', async (_, start, kind, message) => {
    await using server = await start();
    const outcome = await good.tickBeside({ url: addressOf(server) });
    expect(outcome).toMatchObject({
      kind: 'unreachable',
      problem: { kind, message: expect.stringMatching(message), expected: true },
    });
    expect(troubleOf(outcome)?.message).toMatch(/^\P{Cc}{1,600}$/u);
    await expect.poll(() => server.connections()).toBe(0);
  });

  test.each([
    ['as it is connected again', 1, []],
    // The question whether it can defragment, which no server takes for an order, is all that was ever set.
    ['at the second look', 2, ['CONFIG SET activedefrag yes active-defrag-cycle-max offpeak-asks-only']],
  ])('it is fragmented at the first look and silent %s: nothing was begun', async (_, looks, sent) => {
    const figures = { allocated: 1e8, active: 3e8, resident: 3.1e8, frag_bytes: 2e8 };
    const fragmented = INFO.replace(/^used_memory_rss:.*$/m, 'used_memory_rss:320000000')
      .replace(
        /^allocator_(allocated|active|resident|frag_bytes):.*$/gm,
        (_, name) => `allocator_${name}:${figures[name as 'active']}`,
      )
      .replace(/^uptime_in_seconds:.*$/m, 'uptime_in_seconds:86400');
    const said: string[] = [];
    await using server = await respServer(([name = '', ...args]) => {
      said.push([name, ...args].join(' '));
      if (said.filter((command) => command === 'INFO server').length > looks) return undefined;
      if (name === 'INFO') return bulk(fragmented);
      if (name === 'CONFIG' && args[0] === 'GET') return '*2\r\n$12\r\nactivedefrag\r\n$2\r\nno\r\n';
      return name === 'CLIENT'
        ? OK
        : "-ERR CONFIG SET failed (possibly related to argument 'active-defrag-cycle-max')\r\n";
    });
    const outcome = await good.tickBeside({ url: addressOf(server) });
    expect(outcome).toMatchObject({ kind: 'unreachable', problem: { kind: 'timeout' } });
    expect(said.filter((command) => /^(CONFIG SET|MEMORY)/.test(command))).toEqual(sent);
  });

  test('an INFO of 5 MB is read like any other, and nothing of its bulk is kept', async () => {
    const filler = Array.from({ length: 300_000 }, (_, index) => `field_${index}:${index}`).join('\r\n');
    expect(filler.length).toBeGreaterThan(5 * MIB);
    await using server = await infoServer((section) => bulk(section === 'memory' ? `${INFO}\r\n${filler}` : INFO));
    const outcome = await good.tickBeside({ url: addressOf(server) });
    expect(outcome).toMatchObject({
      kind: 'observed',
      before: { observation: { engine: { name: 'redis', version: '7.0.15' } } },
    });
    expect(lookOf(outcome)?.memory.usedMemory).toBe(Number(/^used_memory:(\d+)/m.exec(INFO)?.[1]));
    expect(JSON.stringify(outcome).length).toBeLessThan(10_000);
  });

  test('an INFO whose figures cannot be leads to no action', async () => {
    const absurd = INFO.replace(/^(used_memory|allocator_\w+):.*$/gm, '$1:-9223372036854775808')
      .replace(/^(\w+_ratio):.*$/gm, '$1:nan')
      .replace(/^used_memory_rss:.*$/m, 'used_memory_rss:18446744073709551615');
    await using server = await infoServer(() => bulk(absurd));
    const outcome = await good.tickBeside({ url: addressOf(server) });
    expect(outcome.kind).toBe('observed');
    expect(planOf(outcome)).toEqual({ kind: 'skip', reason: 'no-layers' });
    for (const field of ['usedMemory', 'usedMemoryRss', 'allocatorActive'])
      expect(lookOf(outcome)?.memory).not.toHaveProperty(field);
  });

  test.each([
    [
      'a Sentinel',
      reportInfo('sentinel'),
      /mymaster at 10\.0\.0\.1:6379, and their replicas\. In a config, discover\.sentinel finds them: npx offpeak init writes it$/,
    ],
    ['a proxy', '# Proxy\nName:P\nRedisMode:proxy\n', /^a proxy answers \(P\)/],
    ['a server without INFO memory', '# Server\nredis_version:7.0.15\n', /^redis 7\.0\.15 answers, but/],
  ])('%s is not a data node: no metric of a node, and no alarm about one', async (_what, info, message) => {
    await using server = await infoServer(() => bulk(info));
    const outcome = await good.tickBeside({ url: addressOf(server) });
    expect(outcome).toMatchObject({
      kind: 'not-data-node',
      problem: { message: expect.stringMatching(message), expected: true },
    });
  });

  test('an INFO without a run id, version or role is watched only', async () => {
    const bare = INFO.replace(/^(redis_version|run_id|role|uptime_in_seconds):.*\r?\n/gm, '')
      .replace(/^allocator_active:.*$/m, 'allocator_active:2000000000')
      .replace(/^allocator_frag_bytes:.*$/m, 'allocator_frag_bytes:1900000000');
    await using server = await infoServer(() => bulk(bare));
    const outcome = await good.tickBeside({ url: addressOf(server) });
    expect(outcome.kind).toBe('observed');
    expect(planOf(outcome)?.kind).toBe('skip');
  });
});

function addressOf({ port }: OddServer): string {
  return `redis://127.0.0.1:${port}`;
}

function answerHttp(socket: Socket): void {
  socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'));
}

function greetAsMail(socket: Socket): void {
  socket.write('220 mail.example.com ESMTP\r\n');
}

function sayFull(socket: Socket): void {
  socket.end('-ERR max number of clients reached\r\n');
}

function sayProtected(socket: Socket): void {
  socket.end('-DENIED Redis is running in protected mode because protected mode is enabled.\r\n');
}

function halfThenEnd(_section: string, socket: Socket): undefined {
  socket.end('$500\r\n# Server\r\nredis_version:7');
}

function refuseInColours(): string {
  return `-ERR \u001b[31m${'x'.repeat(100_000)}\r\n`;
}
