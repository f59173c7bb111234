import { connect } from 'node:net';

const REPLY_TIMEOUT_MS = 5_000;

/** A server that answered with an error reply; the message is Redis' own text. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError';
}

/**
 * Asks one inline command on a connection of its own. This needs no client library and no handshake, so that it also
 * works on a server that is only half up.
 *
 * @returns a status or bulk reply as text, an integer as its digits
 * @throws ReplyError when the reply is an error; Error when there is no connection or no whole reply within 5 s
 */
export async function ask(host: string, port: number, command: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect({ host, port }, () => socket.write(`${command}\r\n`));
  let received = Buffer.alloc(0);
  socket.setTimeout(REPLY_TIMEOUT_MS, () => reject(new Error(`no reply to ${command} within ${REPLY_TIMEOUT_MS} ms`)));
  socket.on('error', reject);
  socket.on('close', () => reject(new Error(`connection closed before the reply to ${command}`)));
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    try {
      const reply = readReply(received);
      if (reply !== undefined) resolve(reply);
    } catch (error) {
      reject(error);
    }
  });
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}

/** The reply in the bytes so far; undefined while it is not whole. */
function readReply(bytes: Buffer): string | undefined {
  const lineEnd = bytes.indexOf('\r\n');
  if (lineEnd < 0) return undefined;
  const line = bytes.toString('utf8', 1, lineEnd);
  switch (String.fromCharCode(bytes[0] ?? 0)) {
    case '+':
    case ':':
      return line;
    case '-':
      throw new ReplyError(line);
    case '$': {
      const start = lineEnd + 2;
      const end = start + Number(line);
      return bytes.length < end + 2 ? undefined : bytes.toString('utf8', start, end);
    }
    default:
      throw new Error(`not a Redis reply: ${JSON.stringify(bytes.toString('latin1', 0, 40))}`);
  }
}
