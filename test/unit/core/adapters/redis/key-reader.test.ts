import { expect, test } from 'vitest';
import type { ByteCommand, ByteConnection, Reply } from '../../../../../core/adapters/redis/connection.ts';
import { keyReader } from '../../../../../core/adapters/redis/key-reader.ts';
import { anObservation } from '../../../../support/builders.ts';

const READ = { readValues: true };

interface Key {
  readonly type: string;
  readonly encoding?: string;
  readonly ttl?: number;
  readonly usage?: number;
  readonly length?: number;
  readonly value?: Buffer;
}

const gone = { type: 'none', ttl: -2 };

/** A server with these keys, which RANDOMKEY draws in turn; `refused`: a right that is missing. */
function serverWith(keys: readonly (readonly [name: string, key: Key])[], refused?: string) {
  const asked: string[] = [];
  let turn = 0;
  const answers: Readonly<Record<string, (key: Key | undefined) => unknown>> = {
    RANDOMKEY: () => (keys.length === 0 ? null : Buffer.from(keys[turn++ % keys.length]?.[0] ?? '', 'latin1')),
    SELECT: () => 'OK',
    TYPE: (key) => key?.type,
    OBJECT: (key) => (key?.encoding === undefined ? null : Buffer.from(key.encoding)),
    PTTL: (key) => key?.ttl ?? -1,
    MEMORY: (key) => key?.usage ?? null,
    GETRANGE: (key) => key?.value ?? Buffer.alloc(0),
  };
  const length = (key: Key | undefined) => key?.length ?? 0;
  const connection: ByteConnection = {
    sent: 0,
    send: async (commands) => commands.map((): Reply => ({ ok: false, error: 'ERR' })),
    async sendForBytes(commands: readonly ByteCommand[]) {
      return commands.map(([name, ...args]): Reply => {
        const about = args.find((arg) => Buffer.isBuffer(arg));
        const text = about?.toString('latin1');
        asked.push([name, ...args.map((arg) => (Buffer.isBuffer(arg) ? arg.toString('latin1') : arg))].join(' '));
        if (name === refused) return { ok: false, error: `NOPERM this user has no permissions to run '${name}'` };
        return { ok: true, value: (answers[name] ?? length)(keys.find(([one]) => one === text)?.[1]) };
      });
    },
    closed: Promise.resolve(),
    close: () => {},
  };
  return { connection, asked };
}

async function drawFrom(keys: readonly (readonly [string, Key])[], count = keys.length, database = 0) {
  const { connection, asked } = serverWith(keys);
  const reader = await keyReader(connection, anObservation({ memory: { maxmemoryPolicy: 'noeviction' } }));
  return { asked, ...(await reader.draw(database, count, READ)) };
}

test('says of each key what the server answers, its name byte for byte', async () => {
  const { facts, vanished, waits } = await drawFrom([
    ['\x80\xff:1', { type: 'string', encoding: 'raw', ttl: 5000, usage: 120, length: 60 }],
    ['h', { type: 'hash', encoding: 'listpack', usage: 200, length: 7 }],
  ]);
  expect({ facts, vanished }).toEqual({
    facts: [
      { name: '\x80\xff:1', type: 'string', encoding: 'raw', ttl: 5000, bytes: 120, length: 60 },
      { name: 'h', type: 'hash', encoding: 'listpack', bytes: 200, length: 7 },
    ],
    vanished: 0,
  });
  expect(waits).toHaveLength(3);
});

test('a module’s type is not measured: it may walk through all of a value', async () => {
  const { facts, asked } = await drawFrom([['j', { type: 'ReJSON-RL', encoding: 'raw', usage: 9 }]]);
  expect(facts).toEqual([{ name: 'j', type: 'ReJSON-RL', encoding: 'raw' }]);
  expect(asked.join()).not.toMatch(/MEMORY/);
});

test('of long strings only what deflate leaves is kept', async () => {
  const value = Buffer.from('again and again '.repeat(500));
  const { facts, asked } = await drawFrom([
    ['long', { type: 'string', encoding: 'raw', usage: 9000, length: value.length, value }],
    ['short', { type: 'string', encoding: 'raw', usage: 600, length: 500, value }],
  ]);
  expect(facts[0]?.deflated).toBeLessThan(0.05);
  expect(facts[1]?.deflated).toBeUndefined();
  expect(asked.filter((one) => one.startsWith('GETRANGE'))).toEqual(['GETRANGE long 0 65535']);
  expect(JSON.stringify(facts)).not.toContain('again');
});

test('a key that is gone, or has changed meanwhile, has vanished, and the others keep their own answers', async () => {
  const { facts, vanished } = await drawFrom([
    ['a', gone],
    ['b', { type: 'set', encoding: 'intset', usage: 70, length: 3 }],
    ['c', { type: 'string', encoding: 'raw', length: 3 }],
    ['d', { type: '\u001b[31m', usage: 1 }],
  ]);
  expect(facts).toEqual([{ name: 'b', type: 'set', encoding: 'intset', bytes: 70, length: 3 }]);
  expect(vanished).toBe(3);
});

test('an empty database yields nothing; another one is selected first, once', async () => {
  expect(await drawFrom([], 3)).toMatchObject({ facts: [], vanished: 0 });
  const { asked } = await drawFrom([['a', gone]], 1, 4);
  expect(asked[0]).toBe('SELECT 4');
});

test.each(['RANDOMKEY', 'TYPE', 'PTTL', 'MEMORY', 'GETRANGE'])(
  '%s refused: the rights that are needed are named',
  async (right) => {
    const value = Buffer.alloc(2000, 'x');
    const { connection } = serverWith(
      [['a', { type: 'string', encoding: 'raw', usage: 1, length: 2000, value }]],
      right,
    );
    const reader = await keyReader(connection, anObservation({ memory: { maxmemoryPolicy: 'noeviction' } }));
    await expect(reader.draw(0, 1, READ)).rejects.toThrow(/keys cannot be sampled: NOPERM .*Grant %R~\* \+randomkey/);
  },
);
