import { createServer, type Server, type Socket } from 'node:net';
import { readCommands } from '../odd-server.ts';
import { type NodeInfo, nodeInfo } from './node-info.ts';

/** How a node of the fleet behaves. */
export type Kind = 'healthy' | 'acting' | 'silent' | 'refusing';

/** 5 % do not answer: half of them have no listener, half accept and say nothing. 2 % want to be acted on. */
export function mixedKind(index: number): Kind {
  if (index % 40 === 10) return 'silent';
  if (index % 40 === 30) return 'refusing';
  return index % 50 === 25 ? 'acting' : 'healthy';
}

/** `127.1.0.1` and so on: all of 127.0.0.0/8 leads to this machine. */
export function addressOf(index: number): string {
  return `127.${1 + (index >> 14)}.${(index >> 7) & 127}.${1 + (index & 127)}`;
}

export interface Ports {
  /** At which each address answers. */
  readonly answering: number;
  /** At which each address accepts, and says nothing. */
  readonly silent: number;
  /** At which nothing listens. */
  readonly closed: number;
}

interface Fleet extends AsyncDisposable {
  readonly ports: Ports;
  /** Connections that were open at once, at most, since the last call. */
  peak(): number;
  /** Commands that changed something. */
  changes(): number;
}

/** Servers at every address of 127.0.0.0/8, in this process. `acts`: by index, which of them want to be acted on. */
export async function startFleet(acts: (index: number) => boolean): Promise<Fleet> {
  const nodes = new Map<string, NodeInfo>();
  const sockets = new Set<Socket>();
  const counted = { peak: 0, changes: 0 };
  const accept = (answer?: (socket: Socket) => void) => (socket: Socket) => {
    // Bound to all addresses, since a fleet is 127.0.0.0/8: nobody else is served.
    if (socket.localAddress?.startsWith('127.') !== true) return void socket.destroy();
    sockets.add(socket);
    counted.peak = Math.max(counted.peak, sockets.size);
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    answer?.(socket);
    socket.resume();
  };
  const answering = createServer(
    accept((socket) => {
      const { localAddress: address = '' } = socket;
      const index = indexOf(address);
      const node = nodes.get(address) ?? nodeInfo(index, address, acts(index));
      nodes.set(address, node);
      serve(socket, node, counted);
    }),
  );
  const silent = createServer(accept());
  const closed = createServer();
  const ports = { answering: await listen(answering), silent: await listen(silent), closed: await listen(closed) };
  await end(closed);
  return {
    ports,
    peak: () => {
      const { peak } = counted;
      counted.peak = sockets.size;
      return peak;
    },
    changes: () => counted.changes,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await Promise.all([end(answering), end(silent)]);
    },
  };
}

function indexOf(address: string): number {
  const [, a = 1, b = 0, c = 1] = address.split('.').map(Number);
  return ((a - 1) << 14) + (b << 7) + (c - 1);
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: 0, host: '0.0.0.0', backlog: 4096 }, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

function end(server: Server): Promise<void> {
  return new Promise((resolve) => void server.close(() => resolve()));
}

/** The same pipeline comes from each client: it is parsed once. */
const parsed = new Map<string, ReturnType<typeof readCommands>>();

function serve(socket: Socket, node: NodeInfo, counted: { changes: number }): void {
  let unread = '';
  socket.on('data', (chunk) => {
    const text = unread + chunk.toString('latin1');
    const read = parsed.get(text) ?? readCommands(text);
    if (parsed.size < 1000) parsed.set(text, read);
    unread = read.rest;
    const replies = read.commands.map((command) => replyTo(command, node, counted));
    if (socket.writable) socket.write(replies.join(''), 'latin1');
  });
}

const OK = '+OK\r\n';
const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
const list = (items: readonly string[]) => `*${items.length}\r\n${items.join('')}`;

function replyTo(
  [name = '', sub = '', ...args]: readonly string[],
  node: NodeInfo,
  counted: { changes: number },
): string {
  const command = `${name} ${sub}`.toUpperCase();
  if (name.toUpperCase() === 'INFO') return bulk(node.info(sub.toLowerCase()));
  if (command === 'CONFIG GET') return list(matching(node, args[0] ?? '*').flatMap((pair) => pair.map(bulk)));
  if (command === 'CONFIG SET') {
    const names = args.filter((_, at) => at % 2 === 0);
    const odd = names.find((one, at) => !node.settings.has(one) || !isValue(args[2 * at + 1]));
    // All or nothing, since Redis 7.0.
    if (odd !== undefined)
      return `-ERR CONFIG SET failed (possibly related to argument '${odd}') - argument couldn't be parsed into an integer\r\n`;
    for (const [at, one] of names.entries()) node.set(one, args[2 * at + 1] ?? '');
    counted.changes += 1;
    return OK;
  }
  if (command === 'MEMORY PURGE') {
    node.purge();
    counted.changes += 1;
    return OK;
  }
  if (name.toUpperCase() === 'PING') return '+PONG\r\n';
  if (command.startsWith('LATENCY') || command === 'SLOWLOG GET') return list([]);
  if (command === 'SLOWLOG LEN') return ':0\r\n';
  if (['AUTH', 'CLIENT', 'SELECT'].includes(name.toUpperCase())) return OK;
  return `-ERR unknown command '${name}'\r\n`;
}

function isValue(text = ''): boolean {
  return /^(?:yes|no|\d+)$/.test(text);
}

function matching({ settings }: NodeInfo, pattern: string): readonly (readonly [string, string])[] {
  const form = new RegExp(`^${pattern.replaceAll('*', '.*')}$`);
  return [...settings].filter(([name]) => form.test(name));
}
