import { createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import { CONNECT_TIMEOUT_MS } from '../../core/adapters/redis/failure.ts';
import { MIB } from '../../core/config/units.ts';
import { clientOf } from '../support/fragmented.ts';
import { hostileServer, type Script } from '../support/hostile-server.ts';
import { aJob, closedWindow } from '../support/job.ts';
import { type Looker, startLooker } from '../support/looker.ts';
import { type OddServer, OK, oddServer } from '../support/odd-server.ts';
import { lacksServer, plainServer } from '../support/servers.ts';

const RUN_ID = /^run_id:(\w+)/m;
/** V8's heap in MiB: little more than the job needs, in a process that has 256 MiB for everything. */
const HEAP = 64;

const script = (answers: readonly string[], more: Partial<Script> = {}): Script => ({
  greeting: '',
  answers,
  piece: 65_536,
  ending: 'hang up',
  ...more,
});

/** Sends the same bytes for as long as they are taken, after the sign-in. */
const endless = (head: string, body: string) => () =>
  oddServer((socket) => {
    const chunk = Buffer.from(body.repeat(Math.ceil(65_536 / body.length)), 'latin1');
    const pump = () => {
      while (socket.writable && socket.write(chunk));
    };
    let isSignedIn = false;
    socket.on('data', () => {
      if (isSignedIn) {
        socket.write(head);
        socket.on('drain', pump);
        pump();
      } else socket.write(OK);
      isSignedIn = true;
    });
  });

describe.skipIf(lacksServer('plain'))('F1: a process that a server tries to kill', () => {
  let good: RunningServer;
  let runId: string | undefined;
  let looker: Looker;
  beforeAll(async () => {
    good = await plainServer();
    const client = clientOf(good);
    runId = RUN_ID.exec(await client.info('server'))?.[1];
    client.disconnect();
    looker = await startLooker(good.port, HEAP);
  });
  afterAll(async () => {
    await looker?.[Symbol.asyncDispose]();
    await good?.stop();
  });

  type Row = readonly [what: string, start: () => Promise<OddServer>, kind: string, message: RegExp];
  const played = (one: Script) => () => hostileServer(one);
  const rows: readonly Row[] = [
    ['one reply too many, null', played(script(['+OK\r\n$-1\r\n'])), 'not-redis', /sent a reply without a command\. /],
    [
      'two replies before any command',
      played(script([], { greeting: '$-1\r\n$-1\r\n' })),
      'not-redis',
      /without a command/,
    ],
    ['a null list too many', played(script(['+OK\r\n*-1\r\n'])), 'not-redis', /without a command\. /],
    ['an error too many', played(script(['+OK\r\n-ERR x\r\n'])), 'not-redis', /without a command\. /],
    ['pushes', played(script(['+OK\r\n>2\r\n+message\r\n$-1\r\n'])), 'not-redis', /in RESP3/],
    ['an empty push', played(script(['>0\r\n+OK\r\n'])), 'not-redis', /in RESP3/],
    ['a push of null', played(script(['>1\r\n_\r\n'])), 'not-redis', /in RESP3/],
    ['a text of 512 MB', played(script(['$536870912\r\n'], { ending: 'stay' })), 'not-redis', /more than 8 MiB/],
    ['a list of 1e9 elements', played(script(['*1000000000\r\n'], { ending: 'stay' })), 'not-redis', /10,000 elements/],
    ['lists a million deep', played(script(['*1\r\n'.repeat(1_000_000)])), 'not-redis', /more than 4 deep/],
    ['an endless text', endless('$99999999999\r\n', 'x'), 'not-redis', /more than 8 MiB/],
    ['an endless line', endless('+', 'x'), 'not-redis', /more than 128 KiB/],
    ['an endless error', endless('-ERR ', 'x'), 'not-redis', /more than 128 KiB/],
    ['an endless number', endless(':', '1'), 'not-redis', /more than 32 bytes/],
    ['an endless list', endless('*9999\r\n', '*9999\r\n'), 'not-redis', /more than/],
    ['endless replies', endless('', ':1\r\n'), 'not-redis', /without a command\. /],
    ['endless texts of one list', endless('*9999\r\n', '$4\r\naaaa\r\n'), 'not-redis', /without a command\. |16 MiB/],
    [
      'a reset after each of its answers',
      played(script(['+OK\r\n'], { ending: 'reset' })),
      'unreachable',
      /ECONNRESET|closed/,
    ],
    [
      'that it is full, byte by byte',
      played(script([], { greeting: '-ERR max number of clients reached\r\n', piece: 1 })),
      'refused',
      /all of its maxclients/,
    ],
    [
      'that it is full, as the answer to the sign-in',
      played(script(['-ERR max number of clients reached\r\n'])),
      'refused',
      /all of its maxclients/,
    ],
    [
      'that it is full, and more',
      played(script([], { greeting: '-ERR max number of clients reached\r\n$-1\r\n' })),
      'refused',
      /all of its maxclients/,
    ],
  ];

  test.each(rows)('it sends %s', async (_, start, kind, message) => {
    await using server = await start();
    const { seen, good: other } = await looker.look(server.port);
    expect(seen).toEqual([
      { status: 'unreachable', problem: { kind, message: expect.stringMatching(message), expected: true } },
    ]);
    expect(seen[0]?.problem?.message).toContain(`127.0.0.1:${server.port} `);
    expect(other).toEqual({ runId, reachable: 1 });
    await expect.poll(() => server.connections()).toBe(0);
  });

  test('a byte a second: the whole look has its time, and not each byte', async () => {
    await using server = await oddServer((socket) => {
      const drip = setInterval(() => socket.writable && socket.write('+'), 300);
      socket.once('close', () => clearInterval(drip));
      socket.once('data', () => socket.write('+'));
    });
    const { seen } = await looker.look(server.port);
    expect(seen[0]?.problem).toMatchObject({
      kind: 'timeout',
      message: expect.stringContaining('did not answer within 2000 ms'),
    });
  });

  test('thirty at once that send 8 MiB each and never end: together they get 64 MiB, and the healthy one is seen', async () => {
    const text = script(['+OK\r\n', `$${8 * MIB}\r\n${'x'.repeat(8 * MIB)}`], { ending: 'stay' });
    await using servers = new AsyncDisposableStack();
    const started = await Promise.all(Array.from({ length: 30 }, () => hostileServer(text)));
    for (const server of started) servers.use(server);
    const { seen, good: other, buffers } = await looker.measure(...started.map(({ port }) => port));
    // How far they get in the time of a look is the machine's affair.
    for (const { problem } of seen) expect(problem?.kind).toBeOneOf(['not-redis', 'timeout']);
    expect(other).toEqual({ runId, reachable: 1 });
    expect(buffers).toBeLessThan(128 * MIB);
  });

  test('all of it was in 16 MiB a look', async () => {
    const { heap, buffers } = await looker.measure();
    expect(heap).toBeLessThan(HEAP * MIB);
    expect(buffers).toBeLessThan(24 * MIB);
  });
});

describe('F1: the time that a connection may take', () => {
  test('a TLS handshake that never ends, a byte at a time', async () => {
    await using server = await oddServer((socket) => {
      // The head of a record of 16 kB: the handshake goes on for as long as bytes come.
      socket.write(Buffer.from([0x16, 3, 3, 0x40, 0]));
      const drip = setInterval(() => socket.writable && socket.write('\x02'), 200);
      socket.once('close', () => clearInterval(drip));
    });
    using job = aJob(configOf(`rediss://127.0.0.1:${server.port}`));
    const { outcomes } = await job.tick({ mode: 'watch' });
    const message = `127.0.0.1:${server.port} did not complete a TLS handshake within ${CONNECT_TIMEOUT_MS} ms. If the server does not speak TLS on this port, write redis:// in place of rediss://`;
    expect(outcomes).toMatchObject([{ kind: 'unreachable', problem: { kind: 'timeout', message } }]);
    await expect.poll(() => server.connections()).toBe(0);
  });

  test('a server that resets in mid-handshake', async () => {
    await using server = await oddServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
    using job = aJob(configOf(`rediss://127.0.0.1:${server.port}`));
    const { outcomes } = await job.tick({ mode: 'watch' });
    expect(outcomes).toMatchObject([{ kind: 'unreachable', problem: { expected: true } }]);
  });

  test('a TLS server that speaks before it is asked to, and none of TLS', async () => {
    const server = createTlsServer({ minVersion: 'TLSv1.3' });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    using job = aJob(configOf(`rediss://127.0.0.1:${port}`));
    const { outcomes } = await job.tick({ mode: 'watch' });
    await new Promise((resolve) => server.close(resolve));
    expect(outcomes).toMatchObject([{ kind: 'unreachable', problem: { kind: 'tls', expected: true } }]);
  });
});

function configOf(url: string): string {
  return `instances:\n  - id: bad\n    url: ${url}${closedWindow()}\n`;
}
