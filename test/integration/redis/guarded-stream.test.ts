import { once } from 'node:events';
import { createServer, type Server, Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { GuardedStream } from '../../../core/adapters/redis/guarded-stream.ts';
import { openSocket } from '../../../core/adapters/redis/socket.ts';
import { MIB } from '../../../core/config/units.ts';

/** A stream with a socket that no server is behind: what is said is emitted. */
function stream(): { readonly guarded: GuardedStream; readonly read: string[]; say(...pieces: string[]): void } {
  const socket = new Socket();
  const guarded = new GuardedStream(socket, { host: '10.0.0.5', port: 6379, tls: false });
  const read: string[] = [];
  guarded.on('data', (chunk: Buffer) => read.push(chunk.toString('latin1')));
  return {
    guarded,
    read,
    say: (...pieces) => {
      for (const piece of pieces) socket.emit('data', Buffer.from(piece, 'latin1'));
    },
  };
}

const turn = () => new Promise(setImmediate);

describe('replies', () => {
  test('are handed on in one piece, when all that were asked for are there', async () => {
    const { guarded, read, say } = stream();
    await turn();
    guarded.expect(2);
    say(...'$5\r\nhello\r\n'.split(''), '*1\r');
    expect(read).toEqual([]);
    say('\n:1\r\n');
    expect(read).toEqual(['$5\r\nhello\r\n*1\r\n:1\r\n']);
    guarded.expect(1);
    say('+OK\r\n');
    expect(read.slice(1)).toEqual(['+OK\r\n']);
    guarded.destroy();
  });

  test('are not handed on when one byte of them may not be', async () => {
    const { guarded, read, say } = stream();
    await turn();
    guarded.expect(2);
    say('+OK\r\n', '+OK\r\n$-1\r\n');
    expect(read).toEqual([]);
    expect(guarded.errored).toMatchObject({
      kind: 'not-redis',
      message:
        '10.0.0.5:6379 sent a reply without a command. Check which server or proxy listens there: it answers, but not in the protocol of Redis',
    });
    say('+OK\r\n');
    expect(read).toEqual([]);
  });
});

describe('a farewell', () => {
  const FULL = '-ERR max number of clients reached\r\n';
  const told = {
    kind: 'refused',
    message:
      '10.0.0.5:6379 closes the connection: all of its maxclients connections are taken. Raise maxclients, or close idle clients',
  };

  test.each([
    ['in one piece', [FULL]],
    ['byte by byte', FULL.split('')],
    ['with more behind it', [`${FULL}$-1\r\n`]],
    ['in the middle of which the command is sent', [FULL.slice(0, 9), 'SEND', FULL.slice(9), 'END']],
    ['as the answer to the first command', ['SEND', FULL, 'END']],
  ])('%s', async (_, pieces) => {
    const socket = new Socket();
    const guarded = new GuardedStream(socket, { host: '10.0.0.5', port: 6379, tls: false });
    for (const piece of pieces) {
      if (piece === 'SEND') guarded.expect(2);
      else if (piece === 'END') socket.emit('end');
      else socket.emit('data', Buffer.from(piece));
    }
    expect(guarded.errored).toMatchObject(told);
  });
});

test('all streams together hold 64 MiB, and a small look has its place besides', () => {
  const streams = Array.from({ length: 20 }, stream);
  const text = `$${8 * MIB}\r\n${'x'.repeat(5 * MIB)}`;
  for (const { guarded, say } of streams) {
    guarded.expect(1);
    say(text);
  }
  const refused = streams.filter(({ guarded }) => guarded.destroyed);
  expect(refused.length).toBeGreaterThanOrEqual(20 - 64 / 5);
  expect(refused.length).toBeLessThan(20);
  expect(refused[0]?.guarded.errored).toMatchObject({
    kind: 'not-redis',
    message: expect.stringContaining('more than 64 MiB'),
  });
  const small = stream();
  small.guarded.expect(2);
  small.say(`$100000\r\n${'x'.repeat(100_000)}\r\n`);
  expect(small.guarded.destroyed).toBe(false);
  for (const { guarded } of [...streams, small]) guarded.destroy();
});

test('what was held is given back: as much can be held again', () => {
  for (let round = 0; round < 30; round++) {
    const { guarded, say } = stream();
    guarded.expect(2);
    say(`$${8 * MIB}\r\n${'x'.repeat(5 * MIB)}`);
    expect(guarded.errored).toBeNull();
    if (round % 2 === 0) say('x'.repeat(3 * MIB), '\r\n');
    guarded.destroy();
  }
});

describe('a socket', () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  test('that the server answers on and closes at once: the answer is read', async () => {
    server = createServer((client) => client.once('data', () => client.end('+OK\r\n')));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as { port: number };
    const target = { host: '127.0.0.1', port, tls: false };
    const guarded = new GuardedStream(await openSocket(target, target.host, { timeout: 3000 }), target);
    const read: string[] = [];
    guarded.on('data', (chunk: Buffer) => read.push(chunk.toString()));
    guarded.expect(1);
    guarded.write('PING\r\n');
    await once(guarded, 'close');
    expect(read).toEqual(['+OK\r\n']);
    expect(guarded.errored).toBeNull();
  });
});
