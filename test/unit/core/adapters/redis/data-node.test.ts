import { describe, expect, test } from 'vitest';
import type { Connection } from '../../../../../core/adapters/redis/connection.ts';
import { requireDataNode } from '../../../../../core/adapters/redis/data-node.ts';
import { firstOf, infoLines, unambiguous } from '../../../../../core/adapters/redis/info.ts';
import { infoText } from '../../../../support/info-texts.ts';
import { lookAtReport, reportInfo } from '../../../../support/reports.ts';

/** Refused with this kind and words; `sentinel`: what INFO sentinel says. */
async function refusal(info: string, sentinel = '') {
  const asked: string[] = [];
  const connection: Connection = {
    sent: 1,
    async send(commands) {
      asked.push(...commands.map((command) => command.join(' ')));
      return commands.map(() => ({ ok: true, value: sentinel }));
    },
    close: () => {},
  };
  const failure = await requireDataNode(connection, infoLines(info), firstOf(unambiguous(infoLines(info)))).then(
    () => undefined,
    ({ kind, message }) => ({ kind, message }),
  );
  return { ...failure, asked };
}

describe('a Sentinel (public report 14)', () => {
  test('names the servers that it watches', async () => {
    expect(await refusal(reportInfo('sentinel'))).toEqual({
      kind: 'not-data-node',
      message:
        'a Sentinel answers, not a data node. Give the addresses of the servers that it watches: mymaster at 10.0.0.1:6379, and their replicas. In a config, discover.sentinel finds them: npx offpeak init writes it',
      asked: [],
    });
  });

  test.each([
    ['Redis', 'redis_version:7.0.15\nredis_mode:sentinel'],
    ['Valkey', 'redis_version:7.2.4\nserver_name:valkey\nvalkey_version:8.1.1\nserver_mode:sentinel'],
    ['one with memory', 'redis_version:6.2.0\nredis_mode:sentinel\nused_memory:1000000\nused_memory_rss:2000000'],
    ['one without a mode', 'redis_version:2.8.9\nsentinel_masters:1'],
  ])('%s, where INFO server is all that it was asked for: asks for its primaries', async (_what, info) => {
    const sentinel =
      'sentinel_masters:2\nmaster0:name=carts,status=ok,address=[fd00::1]:6379,slaves=0\nmaster1:name=\u001b[2J,address=x';
    const { kind, message, asked } = await refusal(info, sentinel);
    expect({ kind, asked }).toEqual({ kind: 'not-data-node', asked: ['INFO sentinel'] });
    expect(message).toMatch(/that it watches: carts at \[fd00::1]:6379, and their replicas\. In a config/);
  });

  test('with many primaries names some', async () => {
    const many = Array.from(
      { length: 8 },
      (_, n) => `master${n}:name=m${n},status=ok,address=10.0.0.${n}:6379,slaves=1`,
    );
    expect((await refusal(['redis_mode:sentinel', ...many].join('\n'))).message).toMatch(
      /m4 at 10\.0\.0\.4:6379, 3 more, and their replicas\./,
    );
  });

  test('that names none', async () => {
    expect((await refusal('redis_mode:sentinel')).message).toMatch(/it watches: its primaries, and their replicas\./);
  });
});

describe('a proxy', () => {
  test.each([
    ['predixy', '# Proxy\nVersion:1.0.4\nName:PredixyExample\nRedisMode:proxy\nUsedMemory:315864', ' (PredixyExample)'],
    [
      'Camellia',
      'camellia_version:v1.2.25\nredis_version:7.0.11\nredis_mode:standalone\nproxy_mode:standalone',
      ' (camellia)',
    ],
    ['one with a mode', 'redis_version:7.0.0\nredis_mode:proxy\nused_memory:1', ''],
    ['one with a version', 'redis_version:7.0.0\nredis_cluster_proxy_version:1.0', ''],
  ])('%s', async (_what, info, name) => {
    expect(await refusal(info)).toEqual({
      kind: 'not-data-node',
      message: `a proxy answers${name}, not a data node. Put the servers behind it into the config, each with its own address`,
      asked: [],
    });
  });
});

describe('a server without figures of its memory', () => {
  test.each([
    [
      'Garnet',
      infoText('written-garnet-2.1.5'),
      /^garnet 2\.1\.5 answers, but prints neither used_memory nor used_memory_rss/,
    ],
    ['a Redis without INFO memory', 'redis_version:7.0.15', /^redis 7\.0\.15 answers, but prints neither/],
    ['a relative', 'foo_version:1.2', /^foo 1\.2 answers, but/],
  ])('%s', async (_what, info, message) => {
    expect(await refusal(info)).toMatchObject({ kind: 'not-data-node', message: expect.stringMatching(message) });
  });

  test.each([
    ['nothing', ''],
    ['a page', '<!DOCTYPE html>\n<a href="x:y">http: 1</a>'],
    ['memcached', 'STAT pid 1\r\nSTAT version 1.6.21\r\nEND'],
    ['ZooKeeper', 'zk_version\t3.8.0\nMode: standalone'],
  ])('another program, %s, is not Redis', async (_what, info) => {
    expect(await refusal(info)).toMatchObject({ kind: 'not-redis' });
  });

  test.each(['rss-only', 'used-only'])('%s is enough', async (what) => {
    const info = `redis_version:7.0.15\n${what === 'rss-only' ? 'used_memory_rss' : 'used_memory'}:5`;
    expect(await refusal(info)).toEqual({ asked: [] });
  });
});

/** Each is observed, without the field, and says which it was. */
test.each([
  ['negative', ['-5']],
  ['unsigned', ['18446744073709551611']],
  ["in another language's digits", ['١٢٣٤']],
  ['with thousands', ['1,024']],
  ['with a unit', ['1.5G']],
  ['an escape sequence', ['\u001b[31m7']],
  ['twice, and different', ['5', '6']],
])('used_memory that is %s is ignored, and named', async (_what, values) => {
  const info = ['redis_version:7.0.15', 'used_memory_rss:7', ...values.map((value) => `used_memory:${value}`)];
  const { memory } = await lookAtReport(info.join('\n'));
  expect(memory).toEqual({ usedMemoryRss: 7, odd: ['used_memory'] });
});

test('a version that comes twice is not guessed', async () => {
  const { engine, oddFields } = await lookAtReport('redis_version:7.0.15\nredis_version:8.2.3\nused_memory:1');
  expect(engine.name).toBe('unknown');
  expect(oddFields).toEqual([{ name: 'redis_version', printed: ['7.0.15', '8.2.3'] }]);
});

test('Kvrocks is watched under its own name (public report 20)', async () => {
  const { engine, memory } = await lookAtReport(reportInfo('kvrocks'));
  expect(engine).toMatchObject({ name: 'unknown', calledItself: 'kvrocks', version: '2.10.1' });
  expect(memory.usedMemoryRss).toBe(9_500_000_000);
});
