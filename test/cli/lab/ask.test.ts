import { createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { ask, ReplyError } from '../../../cli/lab/ask.ts';

/** A port on which every connection is answered with these pieces, one packet each, and kept open or closed. */
async function answering(pieces: readonly string[], { close = false } = {}) {
  const server = createServer({ noDelay: true }, async (socket: Socket) => {
    for (const piece of pieces) await new Promise((sent) => socket.write(piece, sent));
    if (close) socket.end();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { port, [Symbol.dispose]: () => void server.close() };
}

test.each([
  { what: 'a status', pieces: ['+PONG\r\n'], expected: 'PONG' },
  { what: 'an integer', pieces: [':42\r\n'], expected: '42' },
  { what: 'a bulk string', pieces: ['$4\r\na\r\nb\r\n'], expected: 'a\r\nb' },
  { what: 'a bulk string in pieces', pieces: ['$1', '0\r\nabcde', 'fghij\r', '\n'], expected: 'abcdefghij' },
])('reads $what', async ({ pieces, expected }) => {
  using server = await answering(pieces);
  expect(await ask('127.0.0.1', server.port, 'PING')).toBe(expected);
});

test.each([
  { what: 'an error reply', pieces: ['-NOAUTH Authentication required.\r\n'], expected: ReplyError },
  { what: 'another protocol', pieces: ['HTTP/1.1 400 Bad Request\r\n'], expected: /not a Redis reply.*HTTP/ },
  { what: 'half a reply', pieces: ['$10\r\nabc'], close: true, expected: /closed before the reply to PING/ },
])('rejects on $what', async ({ pieces, close, expected }) => {
  using server = await answering(pieces, { close: close ?? false });
  await expect(ask('127.0.0.1', server.port, 'PING')).rejects.toThrow(expected);
});
