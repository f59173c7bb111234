import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, isIP, createServer as listen, type Server, type Socket } from 'node:net';

/** What the server does when it is asked for a name. */
export type DnsBehaviour =
  /** Answers with addresses of both families; `ttl` in seconds, a minute by default. */
  | { readonly addresses: readonly string[]; readonly ttl?: number }
  /** Says nothing to a question for A, for AAAA, or for either. */
  | 'hangs'
  | { readonly hangs: 'A' | 'AAAA'; readonly addresses: readonly string[] }
  | 'nxdomain'
  | 'servfail'
  | 'refused'
  /** Bytes that are no answer. */
  | 'garbage'
  /** An answer that is cut off: all of it comes over TCP only. */
  | { readonly truncated: readonly string[] };

/** A name server of our own on loopback, over UDP and TCP. Names that it was told nothing of do not exist. */
export interface DnsServer extends AsyncDisposable {
  /** `ip:port`. */
  readonly address: string;
  set(name: string, behaviour: DnsBehaviour): void;
  /** How often it was asked for the name, for A and for AAAA. */
  asked(name: string): { readonly A: number; readonly AAAA: number };
}

const RCODES = { nxdomain: 3, servfail: 2, refused: 5 } as const;
const TYPES: Readonly<Record<number, 'A' | 'AAAA'>> = { 1: 'A', 28: 'AAAA' };
const TRUNCATED = 0x0200;

/** `port`: a free one by default. */
export async function dnsServer(port = 0): Promise<DnsServer> {
  const behaviours = new Map<string, DnsBehaviour>();
  const counts = new Map<string, { A: number; AAAA: number }>();
  const udp = createSocket('udp4');
  const sockets = new Set<Socket>();
  const countsOf = (name: string) => {
    const found = counts.get(name) ?? { A: 0, AAAA: 0 };
    counts.set(name, found);
    return found;
  };
  const answerTo = (query: Buffer, over: 'udp' | 'tcp'): Buffer | undefined => {
    const { name, type, end } = questionIn(query);
    if (type === undefined) return response(query, end, { rcode: 4 });
    countsOf(name)[type]++;
    return answerFor(behaviours.get(name) ?? 'nxdomain', { query, end, type, over });
  };
  udp.on('message', (query: Buffer, from: RemoteInfo) => {
    const answer = answerTo(query, 'udp');
    if (answer) udp.send(answer, from.port, from.address);
  });
  const tcp = listen((socket) => {
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
    socket.on('data', (bytes) => {
      // Several may come at once, each behind its length; none is so long that it comes in pieces.
      for (let at = 0; at < bytes.length; at += 2 + bytes.readUInt16BE(at)) {
        const answer = answerTo(bytes.subarray(at + 2, at + 2 + bytes.readUInt16BE(at)), 'tcp');
        if (answer) socket.write(Buffer.concat([uint16(answer.length), answer]));
      }
    });
  });
  await bindBoth(tcp, udp, port);
  return {
    address: `127.0.0.1:${udp.address().port}`,
    set: (name, behaviour) => void behaviours.set(name, behaviour),
    asked: (name) => ({ ...countsOf(name) }),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await Promise.all([
        new Promise<void>((resolve) => udp.close(resolve)),
        new Promise((resolve) => tcp.close(resolve)),
      ]);
    },
  };
}

const HOST = '127.0.0.1';

/** Both on one port. Another process may have the UDP port of a TCP port that is free: another one then. */
async function bindBoth(tcp: Server, udp: UdpSocket, port: number): Promise<void> {
  for (let tries = 1; ; tries++) {
    tcp.listen(port, HOST);
    await once(tcp, 'listening');
    udp.bind((tcp.address() as AddressInfo).port, HOST);
    try {
      await once(udp, 'listening');
      return;
    } catch (error) {
      await new Promise((resolve) => tcp.close(resolve));
      if (port !== 0 || tries === 10 || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
}

interface Asked {
  readonly query: Buffer;
  /** Where the question ends. */
  readonly end: number;
  readonly type: 'A' | 'AAAA';
  readonly over: 'udp' | 'tcp';
}

function answerFor(behaviour: DnsBehaviour, { query, end, type, over }: Asked): Buffer | undefined {
  if (behaviour === 'hangs') return undefined;
  if (behaviour === 'garbage') return Buffer.concat([query.subarray(0, 2), Buffer.from('not an answer at all')]);
  if (typeof behaviour === 'string') return response(query, end, { rcode: RCODES[behaviour] });
  if ('truncated' in behaviour) {
    const addresses = over === 'tcp' ? behaviour.truncated : [];
    return response(query, end, { addresses: ofType(addresses, type), flags: over === 'tcp' ? 0 : TRUNCATED });
  }
  if ('hangs' in behaviour) {
    return behaviour.hangs === type
      ? undefined
      : response(query, end, { addresses: ofType(behaviour.addresses, type) });
  }
  return response(query, end, {
    addresses: ofType(behaviour.addresses, type),
    ...(behaviour.ttl !== undefined && { ttl: behaviour.ttl }),
  });
}

function ofType(addresses: readonly string[], type: 'A' | 'AAAA'): readonly string[] {
  return addresses.filter((address) => isIP(address) === (type === 'A' ? 4 : 6));
}

/** The first question of a query (RFC 1035, 4.1.2). */
function questionIn(query: Buffer): { readonly name: string; readonly type: 'A' | 'AAAA' | undefined; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: TYPES[query.readUInt16BE(at + 1)], end: at + 5 };
}

interface Content {
  readonly rcode?: number;
  readonly flags?: number;
  readonly addresses?: readonly string[];
  readonly ttl?: number;
}

function response(query: Buffer, end: number, { rcode = 0, flags = 0, addresses = [], ttl = 60 }: Content): Buffer {
  const header = Buffer.concat([
    query.subarray(0, 2),
    // An answer, with recursion wanted and had.
    uint16(0x8180 | flags | rcode),
    uint16(1),
    uint16(addresses.length),
    uint16(0),
    uint16(0),
  ]);
  const records = addresses.map((address) => {
    const bytes = bytesOf(address);
    const seconds = Buffer.alloc(4);
    seconds.writeUInt32BE(ttl);
    // The name is the question's.
    const head = [uint16(0xc00c), uint16(isIP(address) === 4 ? 1 : 28), uint16(1), seconds, uint16(bytes.length)];
    return Buffer.concat([...head, bytes]);
  });
  return Buffer.concat([header, query.subarray(12, end), ...records]);
}

function bytesOf(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [head = [], tail = []] = address.split('::').map((half) => half.split(':').filter((group) => group !== ''));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return Buffer.concat([...head, ...zeros, ...tail].map((group) => uint16(Number.parseInt(group, 16))));
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
