import { expect, test } from 'vitest';
import type { Command, Connection, Reply } from '../../../../../core/adapters/redis/connection.ts';
import { keySpace } from '../../../../../core/adapters/redis/key-space.ts';
import { anEngine, anObservation } from '../../../../support/builders.ts';

const ID = 'a'.repeat(40);

function connectionTo(answers: Readonly<Record<string, unknown>>) {
  const asked: string[] = [];
  const connection: Connection = {
    sent: 0,
    async send(commands: readonly Command[]) {
      asked.push(...commands.map((command) => command.join(' ')));
      return commands.map((command): Reply => {
        const value = answers[command.join(' ')];
        return value === undefined ? { ok: false, error: 'ERR' } : { ok: true, value };
      });
    },
    close: () => {},
  };
  return { connection, asked };
}

const INFOS = {
  'INFO keyspace':
    '# Keyspace\r\ndb0:keys=700,expires=20,avg_ttl=0\r\ndb3:keys=5,expires=0,avg_ttl=0,subexpiry=0\r\ndb4:keys=0,expires=0\r\ndbx:keys=1\r\n',
  'INFO replication': `role:master\r\nmaster_replid:${ID}\r\n`,
  'INFO stats': 'expired_stale_perc:12.50\r\n',
};

test('reads databases, data set, stale keys and limits', async () => {
  const { connection } = connectionTo({
    ...INFOS,
    'CONFIG GET *-max-*': [
      'hash-max-listpack-entries',
      '300',
      'hash-max-ziplist-value',
      '99',
      'set-max-intset-entries',
      'x',
    ],
  });
  const space = await keySpace(connection, anObservation({ engine: anEngine({ version: '7.2.4' }) }));
  expect(space).toMatchObject({
    databases: [
      { index: 0, keys: 700, expires: 20 },
      { index: 3, keys: 5, expires: 0 },
    ],
    dataset: ID,
    stale: 0.125,
    limits: { hashEntries: 300, hashValue: 99, zsetEntries: 128, setEntries: 128, intsetEntries: 512 },
  });
  expect(space.assumed).toContain('set-max-intset-entries');
  expect(space.assumed).not.toContain('hash-max-listpack-entries');
});

test('before 7.2, sets of texts have no listpacks, and ziplists have the limits', async () => {
  const settings = [
    'hash-max-ziplist-entries',
    '512',
    'hash-max-ziplist-value',
    '64',
    'zset-max-ziplist-entries',
    '128',
    'zset-max-ziplist-value',
    '64',
    'set-max-intset-entries',
    '512',
  ];
  const { connection } = connectionTo({ ...INFOS, 'CONFIG GET *-max-*': settings });
  const space = await keySpace(connection, anObservation({ engine: anEngine({ version: '6.2.7' }) }));
  expect(space.limits).toMatchObject({ hashEntries: 512, setEntries: 0 });
  expect(space.assumed).toEqual([]);
});

test.each([
  ['7.2.4', 'allkeys-lru', 'OK', true],
  ['7.2.4', 'allkeys-lru', undefined, false],
  ['7.0.15', 'allkeys-lru', undefined, false],
  ['7.0.15', 'volatile-lfu', undefined, false],
  ['7.0.15', 'noeviction', undefined, true],
  ['', 'allkeys-random', undefined, true],
  ['7.0.15', undefined, undefined, false],
])(
  'version %j with policy %s asks for lengths where that leaves no trace',
  async (version, policy, noTouch, hasLengths) => {
    const { connection, asked } = connectionTo({ ...INFOS, ...(noTouch && { 'CLIENT NO-TOUCH ON': noTouch }) });
    const observation = anObservation({ engine: anEngine({ version }), memory: { maxmemoryPolicy: policy as never } });
    expect((await keySpace(connection, observation)).hasLengths).toBe(hasLengths);
    // A user without the right would fill the ACL LOG of a server that does not know it.
    expect(asked.includes('CLIENT NO-TOUCH ON')).toBe(version === '7.2.4');
  },
);

test('a replica of a Cluster is asked to answer itself, no other node is', async () => {
  const replica = { role: 'replica', replicasSyncing: 0 } as const;
  for (const [over, expected] of [
    [{ isCluster: true, replication: replica }, true],
    [{ replication: replica }, false],
    [{ isCluster: true }, false],
  ] as const) {
    const { connection, asked } = connectionTo(INFOS);
    await keySpace(connection, anObservation(over));
    expect(asked.includes('READONLY')).toBe(expected);
  }
});
