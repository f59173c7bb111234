import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { PLANTS, plant } from '../../bench/keys/plants.ts';
import { truths } from '../../bench/keys/truth.ts';
import { clientOf } from '../../cli/lab/client.ts';
import type { RunningServer } from '../../cli/lab/start.ts';
import type { Estimate, KeyFinding, KeyPattern } from '../../core/domain/keys.ts';
import { configYaml } from '../support/job.ts';
import { aWorkplace, type Finished, runOffpeak, startOffpeak } from '../support/offpeak.ts';
import { defragServer, lacksServer } from '../support/servers.ts';

interface NodeDocument {
  readonly node: string;
  readonly status: string;
  readonly ended?: { readonly reason: string; readonly text?: string };
  readonly keys?: number;
  readonly drawn?: number;
  readonly distinct?: number;
  readonly cost?: { readonly share: number };
  readonly sameDataAs?: string;
  readonly problem?: string;
  readonly remarks?: readonly string[];
  readonly patterns?: readonly KeyPattern[];
  readonly others?: { readonly keys: number };
  readonly findings?: readonly KeyFinding[];
}

function nodesIn({ stdout }: Pick<Finished, 'stdout'>): readonly NodeDocument[] {
  return JSON.parse(stdout).nodes;
}

/** Quickly: a server of a test has no other clients. */
const QUICK = ['--budget', '50%', '--json'];

const addressOf = ({ port }: Pick<RunningServer, 'port'>) => `redis://127.0.0.1:${port}`;

/** Within the interval, made twice as wide: chance must not fail a test. */
function holds({ value, low, high }: Estimate, truth: number): boolean {
  return truth >= low * (low / value) && truth <= high * (high / value);
}

describe.skipIf(lacksServer('defrag'))('keys, on a server with planted patterns', () => {
  const KEYS = 100_000;
  let server: RunningServer;
  let redis: ReturnType<typeof clientOf>;

  beforeAll(async () => {
    server = await defragServer();
    redis = clientOf(server);
    await plant(redis, KEYS);
  });

  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  test('finds what was planted, with the bytes that following its advice really saves within the interval', async () => {
    const args = ['keys', addressOf(server), '--samples', '40000', '--duration', '10m', '--read-values', ...QUICK];
    const { code, stderr, ...printed } = await runOffpeak(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [node] = nodesIn(printed);
    expect(node).toMatchObject({ status: 'sampled', ended: { reason: 'enough' }, keys: KEYS, drawn: 40_000 });
    const shown = node?.patterns?.map(({ pattern }) => pattern);
    expect(shown).toEqual(expect.arrayContaining(PLANTS.map(({ pattern }) => pattern)));
    const real = await truths(redis, PLANTS);
    expect(real).toHaveLength(PLANTS.flatMap(({ finds }) => finds).length);
    for (const { kind, pattern, bytes } of real) {
      const finding = node?.findings?.find((one) => one.kind === kind && one.pattern === pattern);
      expect(finding, `${kind} of ${pattern}`).toBeDefined();
      expect(finding && holds(finding.bytes, bytes), `${kind}: ${JSON.stringify(finding?.bytes)}, ${bytes}`).toBe(true);
    }
  });
});

describe.skipIf(lacksServer('defrag'))('keys', { concurrent: true }, () => {
  async function filled(args: readonly string[] = [], count = 2000) {
    const stack = new AsyncDisposableStack();
    const server = stack.use(await defragServer({ args }));
    const redis = stack.adopt(clientOf(server), (client) => client.disconnect());
    const script = `for i = ARGV[1], ARGV[2] - 1 do redis.call('SET', 'item:' .. i .. ':note', string.rep('x', 100 + i % 50)) end`;
    for (let from = 0; from < count; from += 20_000) await redis.eval(script, 0, from, Math.min(count, from + 20_000));
    return { server, redis, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  }

  test('foresees the external fragmentation of the article’s recipe', async () => {
    await using one = await filled([], 0);
    const recipe = `math.randomseed(7) for i = ARGV[1], ARGV[1] + 999 do redis.call('SET', 'key:' .. i,
      string.rep('x', 100 + math.floor(math.random() * 9900)), 'EX', 600 + math.floor(math.random() * 2400)) end`;
    for (let from = 0; from < 20_000; from += 1000)
      await one.redis.eval(recipe.replace('randomseed(7)', `randomseed(${from})`), 0, from);
    const [node] = nodesIn(await runOffpeak(['keys', addressOf(one.server), ...QUICK]));
    const finding = node?.findings?.find((one) => one.kind === 'uneven-expiry');
    const fragmentation = async () => {
      // The figures are sampled each 100 ms.
      await wait(500);
      const info = await one.redis.info('memory');
      const of = (name: string) => Number(new RegExp(`^allocator_${name}:(\\d+)`, 'm').exec(info)?.[1]);
      return of('active') - of('allocated');
    };
    const before = await fragmentation();
    // As if the time had passed: in the order of the hash table, which says nothing of sizes.
    const doom = `for _, k in ipairs(redis.call('KEYS', '*')) do if redis.call('PTTL', k) <= tonumber(ARGV[1]) then redis.call('DEL', k) end end`;
    await one.redis.eval(doom, 0, finding?.kind === 'uneven-expiry' ? finding.at : 0);
    const ratio = ((await fragmentation()) - before) / (finding?.bytes.value ?? 0);
    expect(ratio).toBeGreaterThan(0.85);
    expect(ratio).toBeLessThan(1.15);
  });

  test('prints patterns and sums only: no name, no part of a rare name, no value', async () => {
    await using one = await filled();
    const secrets = Array.from({ length: 9 }, (_, i) => `patient:miller${'abcdefghi'[i]}:hiv`);
    for (const name of secrets) await one.redis.set(name, `topsecret ${'diagnosis '.repeat(300)}`);
    await one.redis.set(Buffer.from([0x80, 0xff, 0x0d, 0x0a, 0x1b, 0x5b]), 'binary');
    for (const shape of [['--json'], []]) {
      const args = ['keys', addressOf(one.server), '--budget', '50%', '--read-values', ...shape];
      const { code, stdout, stderr } = await runOffpeak(args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toContain('item:*:note');
      expect(stdout).not.toMatch(/miller|patient|hiv|secret|diagnosis|xxxx|item:\d/);
      expect(stdout).toMatch(/^[\n -~–…→]*$/);
    }
  });

  test('leaves no use of a key behind that eviction would see, and says what it could not ask', async () => {
    await using one = await filled(['--maxmemory-policy', 'allkeys-lru']);
    await wait(3000);
    const printed = await runOffpeak(['keys', addressOf(one.server), ...QUICK]);
    expect(Number(await one.redis.object('IDLETIME', 'item:7:note'))).toBeGreaterThanOrEqual(2);
    const [node] = nodesIn(printed);
    expect(node?.patterns?.[0]).toMatchObject({ pattern: 'item:*:note', sampled: expect.any(Number) });
    const version = /redis_version:(\d+)\.(\d+)/.exec(await one.redis.info('server'));
    if (Number(`${version?.[1]}.${version?.[2]}`) < 7.2)
      expect(node?.remarks?.join()).toMatch(/lengths were not asked/);
  });

  test('samples a replica in place of its primary', async () => {
    await using one = await filled();
    await using replica = await defragServer({ args: ['--replicaof', '127.0.0.1', `${one.server.port}`] });
    const client = clientOf(replica);
    await vi.waitFor(async () => expect(await client.info('replication')).toMatch(/master_link_status:up/), 60_000);
    client.disconnect();
    using place = aWorkplace();
    const nodes = [one.server.port, replica.port].map((port) => `redis://127.0.0.1:${port}`);
    place.write('prod.yml', configYaml(one.server.port).replace(/url: .*/, `nodes: ${JSON.stringify(nodes)}`));
    const printed = await runOffpeak(['keys', '-c', 'prod.yml', ...QUICK], { cwd: place.folder });
    expect(nodesIn(printed)).toMatchObject([
      { node: `127.0.0.1:${replica.port}`, status: 'sampled', keys: 2000, ended: { reason: 'enough' } },
      { node: `127.0.0.1:${one.server.port}`, status: 'same-data', sameDataAs: `127.0.0.1:${replica.port}` },
    ]);
  });

  test('samples a node of a Cluster, and each database of another server', async () => {
    await using cluster = await defragServer({ args: ['--cluster-enabled', 'yes'] });
    await using redis = { client: clientOf(cluster), [Symbol.asyncDispose]: async () => redis.client.disconnect() };
    await redis.client.call('CLUSTER', 'ADDSLOTS', ...Array.from({ length: 16_384 }, (_, slot) => slot));
    await vi.waitFor(async () => expect(await redis.client.cluster('INFO')).toMatch(/cluster_state:ok/), 60_000);
    for (let i = 0; i < 300; i++) await redis.client.set(`{tag${i}}:x`, i);
    await using one = await filled([], 500);
    await one.redis.select(5);
    for (let i = 0; i < 1500; i++) await one.redis.set(`other:${i}`, i);
    const args = ['keys', addressOf(cluster), addressOf(one.server), '--samples', '1000', ...QUICK];
    const [first, second] = nodesIn(await runOffpeak(args));
    expect(first).toMatchObject({ status: 'sampled', keys: 300, patterns: [{ pattern: '{tag*}:x' }] });
    const counts = second?.patterns?.map(({ pattern, keys }) => [pattern, keys]);
    expect(counts).toEqual([
      ['item:*:note', 500],
      ['other:*', 1500],
    ]);
  });

  test('says that there are no keys', async () => {
    await using server = await defragServer();
    const { code, stdout } = await runOffpeak(['keys', addressOf(server)]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/there are no keys/);
  });

  test('stops at a guard: near the limit it draws nothing, and fails', async () => {
    await using one = await filled();
    using place = aWorkplace();
    place.write('prod.yml', `${configYaml(one.server.port)}    memoryLimit: 4MiB\n`);
    const { code, ...printed } = await runOffpeak(['keys', '-c', 'prod.yml', ...QUICK], { cwd: place.folder });
    expect(code).toBe(1);
    expect(nodesIn(printed)).toMatchObject([{ drawn: 0, ended: { reason: 'guard', text: /near the limit of 4 MiB/ } }]);
  });

  const SLOW = ['--samples', '1000000', '--duration', '1h', '--budget', '0.1%', '--json'];

  test('prints what it has when it is interrupted', async () => {
    await using one = await filled([], 300_000);
    await using run = startOffpeak(['keys', addressOf(one.server), ...SLOW]);
    await vi.waitFor(async () => expect(await one.redis.info('commandstats')).toMatch(/cmdstat_randomkey/), 60_000);
    run.signal('SIGINT');
    const { code, ...printed } = await run.finished;
    expect(code).toBe(130);
    expect(nodesIn(printed)).toMatchObject([{ status: 'sampled', ended: { reason: 'interrupted' }, keys: 300_000 }]);
  });

  test('prints what it has when the server goes away', async () => {
    await using one = await filled([], 300_000);
    await using run = startOffpeak(['keys', addressOf(one.server), ...SLOW]);
    await vi.waitFor(async () => expect(await one.redis.info('commandstats')).toMatch(/cmdstat_strlen/), 60_000);
    await one.server.stop();
    const { code, ...printed } = await run.finished;
    expect(code).toBe(1);
    const [node] = nodesIn(printed);
    expect(node).toMatchObject({ status: 'sampled', ended: { reason: 'failed', text: /cannot be reached|did not/ } });
  });

  test('names the rights that are missing', async () => {
    await using one = await filled();
    await one.redis.call('ACL', 'SETUSER', 'watcher', 'on', '>pw', '+info', '+ping', '+client|setname');
    const { code, ...printed } = await runOffpeak([
      'keys',
      `redis://watcher:pw@127.0.0.1:${one.server.port}`,
      '--json',
    ]);
    expect(code).toBe(1);
    expect(nodesIn(printed)[0]?.ended?.text).toMatch(/NOPERM.*Grant %R~\* \+randomkey/);
  });

  test('works with the rights that the documentation names, and no others', async () => {
    await using one = await filled();
    const rights =
      '+info +config|get +latency|latest +latency|history +client|setname +ping +randomkey +type +object|encoding +pttl +memory|usage +strlen +hlen +llen +scard +zcard +xlen +select +getrange';
    await one.redis.call('ACL', 'SETUSER', 'sampler', 'on', '>pw', '%R~*', ...rights.split(' '));
    // Of Redis 7.2.
    await one.redis.call('ACL', 'SETUSER', 'sampler', '+client|no-touch').catch(() => undefined);
    const { code, stderr, ...printed } = await runOffpeak([
      'keys',
      `redis://sampler:pw@127.0.0.1:${one.server.port}`,
      '--read-values',
      ...QUICK,
    ]);
    expect({ code, nodes: nodesIn(printed) }).toMatchObject({ code: 0, nodes: [{ ended: { reason: 'enough' } }] });
    expect(stderr).toMatch(/password .* on the command line/);
    expect(await one.redis.call('ACL', 'LOG')).toEqual([]);
  });
});
