import { deflateRawSync } from 'node:zlib';
import type { KeyFacts, KeySpace } from '../../domain/keys.ts';
import type { Observation } from '../../domain/observation.ts';
import { present } from '../../domain/present.ts';
import type { Draw, KeyReader } from '../../ports/key-reader.ts';
import { NodeFailure } from '../../ports/node-session.ts';
import { CommandCosts } from './command-costs.ts';
import type { ByteCommand, ByteConnection, Reply } from './connection.ts';
import { COMMAND_TIMEOUT_MS } from './failure.ts';
import { keySpace } from './key-space.ts';

/** Elements of a collection that MEMORY USAGE measures: the default of Redis. */
const SAMPLES = '5';

/** Of each type of Redis' own, the command for its size. What a module defines may walk through all of a value for MEMORY USAGE. */
const LENGTHS: Readonly<Record<string, string>> = {
  string: 'STRLEN',
  hash: 'HLEN',
  list: 'LLEN',
  set: 'SCARD',
  zset: 'ZCARD',
  stream: 'XLEN',
};

/** Of a value, with --read-values; shorter ones gain nothing from compression. */
const READ_FROM = 1024;
const READ_BYTES = 65_536;
/** Of values, in one batch: half a megabyte at most. */
const READ_AT_ONCE = 8;

/** Makes a connection ready to draw keys, and learns what they are drawn from. @throws {NodeFailure} naming the rights that are missing */
export async function keyReader(connection: ByteConnection, first: Observation): Promise<KeyReader> {
  const costs = new CommandCosts(connection);
  const send: Send = async (commands: readonly ByteCommand[]) => {
    const startedAt = performance.now();
    const replies = commands.length === 0 ? [] : await connection.sendForBytes(commands, COMMAND_TIMEOUT_MS);
    costs.count(commands);
    return { replies, wait: performance.now() - startedAt };
  };
  const space = await keySpace(connection, first);
  const way = await quickest(connection);
  await costs.spent();
  let selected = 0;
  return {
    space,
    way,
    get sent() {
      return connection.sent;
    },
    spent: () => costs.spent(),
    async draw(database, count, { readValues }): Promise<Draw> {
      const select: ByteCommand[] = database === selected ? [] : [['SELECT', String(database)]];
      const names = await send([...select, ...Array.from({ length: count }, (): ByteCommand => ['RANDOMKEY'])]);
      selected = database;
      const keys = names.replies.slice(select.length).flatMap((reply) => {
        const name = bytesOf(required(reply, 'randomkey'));
        return name === undefined ? [] : [name];
      });
      const kinds = await send(keys.flatMap(kindCommands));
      const known = keys.map((name, index) => kindOf(name, kinds.replies.slice(index * 3, index * 3 + 3)));
      const sizes = await send(known.flatMap((one) => sizeCommands(one, space)));
      const facts = factsOf(known, sizes.replies, space);
      const read = readValues ? await readSome(facts, send) : { facts, waits: [] };
      const all = read.facts.flatMap(({ fact }) => fact ?? []);
      return {
        facts: all,
        vanished: keys.length - all.length,
        waits: [names, kinds, sizes].map(({ wait }) => wait).concat(read.waits),
      };
    },
  };
}

function kindCommands(name: Buffer): readonly ByteCommand[] {
  return [
    ['TYPE', name],
    ['OBJECT', 'ENCODING', name],
    ['PTTL', name],
  ];
}

interface Kind {
  readonly name: Buffer;
  /** `none`: it is gone. */
  readonly type: string;
  readonly encoding: string | undefined;
  readonly ttl: number | undefined;
}

/** Only words of the server's own making. */
const WORD = /^[A-Za-z][A-Za-z0-9_-]{0,23}$/;

function kindOf(name: Buffer, [type, encoding, ttl]: readonly Reply[]): Kind {
  const word = String(required(type, 'type'));
  required(ttl, 'pttl');
  const left = numberIn(ttl);
  return {
    name,
    type: WORD.test(word) && left !== -2 ? word : 'none',
    encoding: wordIn(encoding),
    ttl: left !== undefined && left >= 0 ? left : undefined,
  };
}

function sizeCommands({ name, type }: Kind, { hasLengths }: KeySpace): readonly ByteCommand[] {
  const length = Object.hasOwn(LENGTHS, type) ? LENGTHS[type] : undefined;
  if (length === undefined) return [];
  return [['MEMORY', 'USAGE', name, 'SAMPLES', SAMPLES], ...(hasLengths ? [[length, name] as const] : [])];
}

interface Known {
  readonly name: Buffer;
  readonly fact: KeyFacts | undefined;
}

/** A key that was deleted, or has become another type, between two batches has vanished. */
function factsOf(known: readonly Kind[], replies: readonly Reply[], space: KeySpace): readonly Known[] {
  const rest = [...replies];
  return known.map((one): Known => {
    const mine = rest.splice(0, sizeCommands(one, space).length);
    const [usage, length] = mine;
    const { name, type, encoding, ttl } = one;
    if (usage) required(usage, 'memory|usage');
    const isGone = type === 'none' || mine.some((reply) => !reply.ok || reply.value === null);
    const about = present({ encoding, ttl, bytes: numberIn(usage), length: numberIn(length) });
    return { name, fact: isGone ? undefined : { name: name.toString('latin1'), type, ...about } };
  });
}

type Send = (
  commands: readonly ByteCommand[],
) => Promise<{ readonly replies: readonly Reply[]; readonly wait: number }>;

/** The beginnings of long values, some in a batch; only what deflate makes of them is kept. */
async function readSome(known: readonly Known[], send: Send) {
  const long = known.filter(({ fact }) => fact?.type === 'string' && (fact.length ?? 0) >= READ_FROM);
  const left = new Map<Known, number>();
  const waits: number[] = [];
  for (let from = 0; from < long.length; ) {
    const batch = long.slice(from, from + READ_AT_ONCE);
    from += batch.length;
    const { replies, wait } = await send(
      batch.map(({ name }): ByteCommand => ['GETRANGE', name, '0', String(READ_BYTES - 1)]),
    );
    waits.push(wait);
    for (const [index, one] of batch.entries()) {
      const value = bytesOf(required(replies[index], 'getrange'));
      if (value && value.length >= READ_FROM) left.set(one, deflateRawSync(value).length / value.length);
    }
  }
  const facts = known.map((one): Known => {
    const deflated = left.get(one);
    return one.fact === undefined || deflated === undefined ? one : { ...one, fact: { ...one.fact, deflated } };
  });
  return { facts, waits };
}

/** What a refused right ends; an error about one key (a type that has changed, a slot that has moved) does not. */
function required(reply: Reply | undefined, right: string): unknown {
  if (reply?.ok) return reply.value;
  const error = reply?.error ?? '';
  if (!/^(?:NOPERM|ERR unknown|NOAUTH)/i.test(error)) return undefined;
  throw new NodeFailure(
    'refused',
    `keys cannot be sampled: ${error.slice(0, 200)}. Grant %R~* +randomkey +type +object|encoding +pttl +memory|usage +strlen +hlen +llen +scard +zcard +xlen +select, and +getrange for --read-values (this was ${right})`,
  );
}

function bytesOf(value: unknown): Buffer | undefined {
  return Buffer.isBuffer(value) ? value : undefined;
}

function numberIn(reply: Reply | undefined): number | undefined {
  return reply?.ok && typeof reply.value === 'number' ? reply.value : undefined;
}

function wordIn(reply: Reply | undefined): string | undefined {
  const word = reply?.ok ? String(reply.value) : '';
  return WORD.test(word) ? word : undefined;
}

const PINGS = 3;

async function quickest(connection: ByteConnection): Promise<number> {
  const waits: number[] = [];
  for (let ping = 0; ping < PINGS; ping++) {
    const startedAt = performance.now();
    await connection.send([['PING']], COMMAND_TIMEOUT_MS);
    waits.push(performance.now() - startedAt);
  }
  return Math.min(...waits);
}
