import { createServer, type Server, type Socket } from 'node:net';

/** A listener on a free loopback port that is not, or not quite, a Redis. */
export interface OddServer extends AsyncDisposable {
  readonly port: number;
  /** Connections that are open now. */
  connections(): number;
}

/** What comes back for one command; undefined: nothing, ever. */
export type Answer = (command: readonly string[], socket: Socket) => string | Buffer | undefined;

export const OK = '+OK\r\n';

export function bulk(text: string | Buffer): Buffer {
  const body = Buffer.from(text);
  return Buffer.concat([Buffer.from(`$${body.length}\r\n`), body, Buffer.from('\r\n')]);
}

/** Accepts connections and hands each one over; what is said there is the test's affair. `host`: 0.0.0.0 for all of 127.0.0.0/8. */
export async function oddServer(greet: (socket: Socket) => void, host = '127.0.0.1'): Promise<OddServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    // What nobody reads hides the client's hang-up behind it.
    socket.resume();
    greet(socket);
  });
  const port = await listening(server, host);
  return {
    port,
    connections: () => sockets.size,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function listening(server: Server, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

/** Speaks RESP: each command that arrives whole gets its answer. */
export function respServer(answer: Answer, host?: string): Promise<OddServer> {
  return oddServer((socket) => {
    let unread = '';
    socket.on('data', (chunk) => {
      const { commands, rest } = readCommands(unread + chunk.toString('latin1'));
      unread = rest;
      for (const command of commands) {
        const reply = answer(command, socket);
        if (reply !== undefined && socket.writable) socket.write(reply);
      }
    });
  }, host);
}

/** Signs everybody in, refuses CONFIG and LATENCY as managed services do, and answers INFO as told. */
export function infoServer(
  info: (section: string, socket: Socket) => string | Buffer | undefined,
  host?: string,
): Promise<OddServer> {
  return respServer(([name = '', ...args], socket) => {
    if (name.toUpperCase() === 'INFO') return info(args[0] ?? '', socket);
    return ['AUTH', 'CLIENT'].includes(name.toUpperCase()) ? OK : `-ERR unknown command '${name}'\r\n`;
  }, host);
}

const COMMAND = /\*(\d+)\r\n((?:\$\d+\r\n[^\r\n]*\r\n)*)/y;

/** Commands as clients send them, of arguments without line breaks; what is not whole yet is left for the next chunk. */
export function readCommands(text: string): {
  readonly commands: readonly (readonly string[])[];
  readonly rest: string;
} {
  const commands: string[][] = [];
  let end = 0;
  for (COMMAND.lastIndex = 0; ; ) {
    const match = COMMAND.exec(text);
    const args = match?.[2]?.split('\r\n').filter((_, index) => index % 2 === 1) ?? [];
    if (!match || args.length < Number(match[1])) return { commands, rest: text.slice(end) };
    commands.push(args);
    end = COMMAND.lastIndex;
  }
}
