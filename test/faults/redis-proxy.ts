import { connect, createServer, type Server, type Socket } from 'node:net';

/** What the way to a server does to what passes. */
export type Fault =
  | { readonly kind: 'none' }
  /** Accepts, and nothing ever comes. */
  | { readonly kind: 'half-open' }
  /** Hangs up on everybody. */
  | { readonly kind: 'refusing' }
  /** Each answer comes this much later. */
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'garbage' }
  /** Once: when a command comes by, before the server gets it, or after, so that its answer is lost. */
  | { readonly kind: 'cut'; readonly command: RegExp; readonly when: 'before' | 'after' }
  /** Once: a command that is under way for longer than its client lives, as TCP may have it, until `arrive`. */
  | { readonly kind: 'held'; readonly command: RegExp };

export const NO_FAULT: Fault = { kind: 'none' };
/** The command that starts a defrag, and not the question whether it could. */
export const DEFRAG_ON = /\$6\r\nconfig\r\n\$3\r\nset\r\n(?!.*offpeak-asks-only).*activedefrag\r\n\$3\r\nyes/is;
export const MEMORY_PURGE = /\$6\r\nmemory\r\n\$5\r\npurge/i;

export interface RedisProxy extends AsyncDisposable {
  readonly port: number;
  /** For connections that are open, too. */
  fault(fault: Fault): void;
  /** What was held reaches the server. */
  arrive(): void;
}

/** A way to a server on loopback, on which things can go wrong. `at`: where it listens, on a free port by default. */
export async function redisProxy(target: number, at = { host: '127.0.0.1', port: 0 }): Promise<RedisProxy> {
  let current: Fault = NO_FAULT;
  const sockets = new Set<Socket>();
  const held: (() => void)[] = [];
  /** The fault that waits for what is in there: it happens once. */
  const caughtIn = (bytes: Buffer) => {
    const fault = current;
    if ((fault.kind !== 'cut' && fault.kind !== 'held') || !fault.command.test(bytes.toString('latin1')))
      return undefined;
    current = NO_FAULT;
    return fault;
  };
  const server = createServer((client) => {
    if (current.kind === 'refusing') return void client.destroy();
    const upstream = connect(target, '127.0.0.1');
    sockets.add(upstream);
    sockets.add(client);
    const both = () => {
      client.destroy();
      upstream.destroy();
    };
    let isCut = false;
    let isHeld = false;
    client.on('data', (bytes) => {
      if (isHeld || current.kind === 'half-open') return;
      if (current.kind === 'refusing') return both();
      const caught = caughtIn(bytes);
      if (caught?.kind === 'held') {
        isHeld = true;
        return void held.push(() => upstream.end(bytes));
      }
      if (caught?.when === 'before') return both();
      isCut ||= caught !== undefined;
      upstream.write(bytes);
    });
    upstream.on('data', (bytes) => {
      if (isCut) return both();
      if (current.kind === 'half-open') return;
      if (current.kind === 'garbage') return void client.write('?\u0000\u0007 not RESP at all\r\n');
      if (current.kind === 'slow') return void setTimeout(() => client.writable && client.write(bytes), current.ms);
      client.write(bytes);
    });
    upstream.on('error', both).on('close', both);
    client.on('error', () => {}).on('close', () => isHeld || both());
  });
  await new Promise<void>((resolve) => server.listen(at.port, at.host, resolve));
  return {
    port: portOf(server),
    fault(fault) {
      current = fault;
    },
    arrive() {
      for (const write of held.splice(0)) write();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return address.port;
}
