import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import { parseConfig } from '../../core/config/parse.ts';
import { anAuthority } from '../support/certificates.ts';
import { aCluster } from '../support/cluster.ts';
import { clientOf } from '../support/fragmented.ts';
import { aWorkplace, refusedPort, runOffpeak } from '../support/offpeak.ts';
import { aSentinelSet } from '../support/sentinel.ts';
import { lacksServer, plainServer } from '../support/servers.ts';
import { openTlsPort } from '../support/tls-port.ts';

describe.skipIf(lacksServer('plain'))('init on real servers', () => {
  let primary: RunningServer;
  let replica: RunningServer;
  let locked: RunningServer;
  beforeAll(async () => {
    [primary, locked] = await Promise.all([plainServer(), plainServer({ args: ['--requirepass', 's3cret-word'] })]);
    replica = await plainServer({ args: ['--replicaof', primary.host, `${primary.port}`] });
    const redis = clientOf(replica);
    await vi.waitFor(async () => expect(await redis.info('replication')).toContain('master_link_status:up'), {
      timeout: 300_000,
    });
    redis.disconnect();
  });
  afterAll(() => Promise.all([primary?.stop(), replica?.stop(), locked?.stop()]));

  test('a primary and its replica are one instance of a config that check accepts', async () => {
    using place = aWorkplace();
    const { code, stderr } = await runOffpeak(['init', primary.url, replica.url], { cwd: place.folder });
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'offpeak: config/dev.yml is written. Next: npx offpeak check -c config/dev.yml\n',
    });
    const text = readFileSync(join(place.folder, 'config/dev.yml'), 'utf8');
    const result = parseConfig(text, 'dev');
    const ids = [primary, replica].map(({ port }) => `127.0.0.1:${port}`);
    expect(result.ok && result.config.instances.map(({ nodes }) => nodes.map(({ id }) => id))).toEqual([ids]);
    expect(text).toMatch(/# 127\.0\.0\.1:\d+: redis \S+, replica, RSS [\d.]+ MiB, used/);
    const checked = await runOffpeak(['check', '--json'], { cwd: place.folder });
    expect({ code: checked.code, seen: checked.documents[0]?.outcomes.length }).toEqual({ code: 0, seen: 2 });
  });

  test('a password is not written: the config asks for a variable, and works with it', async () => {
    using place = aWorkplace();
    const url = `redis://127.0.0.1:${locked.port}`;
    const env = { REDISCLI_AUTH: 's3cret-word' };
    const { code, stderr } = await runOffpeak(['init', url, '-o', 'locked.yml'], { cwd: place.folder, env });
    const text = readFileSync(join(place.folder, 'locked.yml'), 'utf8');
    expect(code).toBe(0);
    expect(text + stderr).not.toContain('s3cret-word');
    const [, variable = ''] = /password: env:(\w+)/.exec(text) ?? [];
    const options = { cwd: place.folder, env: { [variable]: 's3cret-word' } };
    expect((await runOffpeak(['check', '-c', 'locked.yml'], options)).code).toBe(0);
  });

  test('a private authority: --cacert is asked for, used, and written for check to use', async (context) => {
    using place = aWorkplace();
    using authority = anAuthority();
    const admin = clientOf(primary);
    const port = await openTlsPort(admin, authority, 'no').finally(() => admin.disconnect());
    if (port === undefined) return context.skip('this redis-server is built without TLS');
    place.write('ca.pem', authority.ca);
    const here = { cwd: place.folder };
    const url = `rediss://127.0.0.1:${port}`;
    const unknown = await runOffpeak(['init', url, '-o', 'config/prod.yml'], here);
    expect(unknown).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/Set --cacert to the PEM of that authority/),
    });
    const missing = await runOffpeak(['check', url, '--cacert', 'nosuch.pem'], here);
    expect(missing).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('--cacert: the file nosuch.pem does not exist'),
    });
    place.write('text.pem', 'hello');
    const text = await runOffpeak(['check', url, '--cacert', 'text.pem'], here);
    expect(text.stdout).toContain('--cacert (file:text.pem) holds no PEM');
    const written = await runOffpeak(['init', url, '--cacert', 'ca.pem', '-o', 'config/prod.yml'], here);
    expect(written).toMatchObject({ code: 0 });
    expect(readFileSync(join(place.folder, 'config/prod.yml'), 'utf8')).toContain('      ca: "file:../ca.pem"\n');
    expect(await runOffpeak(['check', '-c', 'config/prod.yml'], here)).toMatchObject({ code: 0, stderr: '' });
    expect(await runOffpeak(['check', url, '--cacert', 'ca.pem'], here)).toMatchObject({ code: 0, stderr: '' });
    const both = await runOffpeak(['check', '-c', 'config/prod.yml', '--cacert', 'ca.pem'], here);
    expect(both).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/check --cacert: accepted beside addresses only/),
    });
  });

  test('a file that is there stays as it is', async () => {
    using place = aWorkplace();
    const file = place.write('mine.yml', 'mine');
    place.write('prod.yml', 'theirs');
    const { code, stderr } = await runOffpeak(['init', primary.url, '--output', 'mine.yml'], { cwd: place.folder });
    expect({ code, stderr, text: readFileSync(file, 'utf8') }).toEqual({
      code: 2,
      stderr: `offpeak: init: mine.yml is there already, and is not overwritten. Type: npx offpeak init ${primary.url} -o staging.yml\n`,
      text: 'mine',
    });
  });

  test('what can be typed next does not repeat a password', async () => {
    using place = aWorkplace();
    place.write('mine.yml', 'mine');
    const url = `redis://:s3cret-word@127.0.0.1:${locked.port}`;
    const { stderr } = await runOffpeak(['init', url, '-o', 'mine.yml'], { cwd: place.folder });
    expect(stderr).toContain("Type: npx offpeak init 'redis://…' -o prod.yml\n");
    expect(stderr).not.toContain('s3cret-word');
  });

  test('to stdout, and a server that does not answer is named and written', async () => {
    const port = await refusedPort();
    const { code, stdout, stderr } = await runOffpeak(['init', primary.url, `redis://127.0.0.1:${port}`, '-o', '-']);
    expect({ code, ok: parseConfig(stdout, 'dev').ok }).toEqual({ code: 1, ok: true });
    expect(stderr).toContain(`127.0.0.1:${port} cannot be reached`);
    expect(stdout).toContain(`# 127.0.0.1:${port}: not audited`);
  });
});

describe.skipIf(lacksServer('defrag'))('what can be discovered is not written node by node', () => {
  const discoverIn = (text: string) => {
    const result = parseConfig(text, 'dev');
    return result.ok ? result.config.instances.map(({ nodes, discover }) => discover ?? nodes.length) : result.problems;
  };

  test('nodes of a Cluster are its seeds, beside a server that is none', async () => {
    await using cluster = await aCluster({ shards: 2 });
    await using other = await aCluster({ shards: 1, replicas: false });
    await using server = await plainServer();
    const typed = [cluster.node(3), cluster.node(0), other.node(0)].map(({ address }) => `redis://${address}`);
    using place = aWorkplace();
    const here = { cwd: place.folder };
    expect(await runOffpeak(['init', ...typed, server.url, '-o', 'all.yml'], here)).toMatchObject({ code: 0 });
    const text = readFileSync(join(place.folder, 'all.yml'), 'utf8');
    expect(discoverIn(text)).toMatchObject([
      { cluster: { seeds: [{ id: cluster.node(3).address }, { id: cluster.node(0).address }] } },
      { cluster: { seeds: [{ id: other.node(0).address }] } },
      1,
    ]);
    expect(text).toContain('A Cluster of 2 shards with 4 nodes.');
    const { code, documents } = await runOffpeak(['check', '-c', 'all.yml', '--json'], here);
    expect({ code, seen: documents[0]?.outcomes.length }).toEqual({ code: 0, seen: 6 });
  });

  test('sentinels name the set that they watch, once, and a node of it is not written beside it', async () => {
    await using set = await aSentinelSet({ password: 's3cret-word' });
    using place = aWorkplace();
    const env = { REDISCLI_AUTH: 's3cret-word' };
    const typed = [...set.urls, ...set.nodes.slice(0, 1).map(({ url }) => url)];
    const here = { cwd: place.folder, env };
    const { code, stderr } = await runOffpeak(['init', ...typed, '-o', 'set.yml'], here);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^offpeak: set\.yml is written\./) });
    const text = readFileSync(join(place.folder, 'set.yml'), 'utf8');
    expect(text).not.toContain('s3cret-word');
    expect(discoverIn(text)).toMatchObject([{ sentinel: { name: 'main', sentinels: [{}, {}, {}] } }]);
    const seen = await runOffpeak(['check', '-c', 'set.yml', '--json'], {
      cwd: place.folder,
      env: { MAIN_REDIS_PASSWORD: 's3cret-word' },
    });
    expect({ code: seen.code, seen: seen.documents[0]?.outcomes.length }).toEqual({ code: 0, seen: 3 });
  });
});

test('where no server answers nothing is written', async () => {
  using place = aWorkplace();
  const url = `redis://127.0.0.1:${await refusedPort()}`;
  const { code, stderr } = await runOffpeak(['init', url], { cwd: place.folder });
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringContaining('nothing was written: no server answered'),
  });
  expect(() => readFileSync(join(place.folder, 'config/dev.yml'))).toThrow('ENOENT');
});

test('a folder that cannot be made is usage', async () => {
  using place = aWorkplace();
  writeFileSync(join(place.folder, 'a-file'), '');
  const { code, stderr } = await runOffpeak(['init', 'nonsense', '-o', 'a-file/dev.yml'], { cwd: place.folder });
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('init: "nonsense" is not an address') });
});
