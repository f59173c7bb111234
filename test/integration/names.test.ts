import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import { createCloudWatchClient } from '../../core/adapters/aws/clients.ts';
import { createMetricSink } from '../../core/adapters/aws/cloudwatch.ts';
import { createNames, type Names } from '../../core/adapters/dns/names.ts';
import { datumsOf } from '../support/aws-wire.ts';
import { type DnsServer, dnsServer } from '../support/dns-server.ts';
import { aJob, type Job, OPEN, SMALL_FLOORS } from '../support/job.ts';
import { awsBackend } from '../support/lambda.ts';
import { describeWithMoto } from '../support/moto.ts';
import { oddServer } from '../support/odd-server.ts';
import { troubleOf } from '../support/outcomes.ts';
import { describeInOwnNetwork } from '../support/own-network.ts';
import { lacksServer, plainServer, serverBinary } from '../support/servers.ts';

/** Made for these tests, good for a hundred years, of nothing else. */
const fixture = (name: string) => readFileSync(join(import.meta.dirname, '../fixtures/tls', name));
const instanceAt = (id: string, url: string, settings = '') =>
  `  - id: ${id}\n    url: ${url}${OPEN}${SMALL_FLOORS}${settings}\n`;
const configFor = (urls: Readonly<Record<string, string>>, settings?: string) =>
  `instances:\n${Object.entries(urls)
    .map(([id, url]) => instanceAt(id, url, settings))
    .join('')}`;

describe.skipIf(lacksServer('plain'))('nodes by their names', () => {
  let dns: DnsServer;
  let server: RunningServer;
  let names: Names;
  beforeAll(async () => {
    [dns, server] = await Promise.all([dnsServer(), plainServer()]);
    names = createNames({ servers: [dns.address] });
    dns.set('well.test', { addresses: ['127.0.0.1'], ttl: 1 });
  });
  afterAll(async () => {
    await dns?.[Symbol.asyncDispose]();
    await server?.stop();
  });

  /** One look at each, by the one's id: its status, and why. */
  async function seen(job: Job): Promise<Readonly<Record<string, string>>> {
    const { outcomes } = await job.tick();
    return Object.fromEntries(
      outcomes.map((one) => [
        one.instance,
        [one.kind, ...(troubleOf(one) ? [troubleOf(one)?.message] : [])].join(': '),
      ]),
    );
  }
  const at = (host: string, port = server.port, scheme = 'redis') => `${scheme}://${host}:${port}`;

  describeWithMoto('F5: twelve names that hang', () => {
    test('a healthy node is seen, and its metrics reach AWS by its own name', async () => {
      await using aws = await awsBackend();
      vi.stubEnv('AWS_ENDPOINT_URL', aws.proxy.url.replace('127.0.0.1', 'localhost'));
      const ids = Array.from({ length: 12 }, (_, index) => `dead-${index}`);
      for (const id of ids) dns.set(`${id}.test`, 'hangs');
      const urls = Object.fromEntries(ids.map((id) => [id, at(`${id}.test`)]));
      using job = aJob(configFor({ ...urls, well: at('well.test') }), {
        names,
        others: () => ({ metrics: createMetricSink(createCloudWatchClient()) }),
      });
      const { outcomes, undelivered } = await job.tick();
      expect(undelivered).toBe(0);
      expect(outcomes.find(({ instance }) => instance === 'well')).toMatchObject({ kind: 'observed' });
      for (const id of ids) {
        const name = `${id}.test`;
        expect(outcomes.find(({ instance }) => instance === id)).toMatchObject({
          kind: 'unreachable',
          problem: {
            kind: 'timeout',
            message: `${name}:${server.port} cannot be reached: no name server answered for ${name} within 3000 ms`,
          },
        });
      }
      const reachable = datumsOf(aws.proxy.requests).filter(({ MetricName }) => MetricName === 'Reachable');
      expect(reachable.map(({ Value }) => Value).toSorted()).toEqual([...ids.map(() => 0), 1]);
    });
  });

  test('names that hang, do not exist and fail stand beside one that does', async () => {
    dns.set('hangs.test', 'hangs');
    dns.set('fails.test', 'servfail');
    using job = aJob(
      configFor({ hangs: at('hangs.test'), gone: at('gone.test'), fails: at('fails.test'), well: at('well.test') }),
      { names },
    );
    const { outcomes } = await job.tick();
    const told = outcomes.map((one) => [one.instance, troubleOf(one)?.kind, troubleOf(one)?.message]);
    expect(told).toEqual([
      ['hangs', 'timeout', expect.stringContaining('no name server answered for hangs.test within 3000 ms')],
      ['gone', 'unreachable', `gone.test:${server.port} cannot be reached: there is no such name as gone.test`],
      ['fails', 'unreachable', expect.stringContaining('refuse to answer for fails.test: ESERVFAIL')],
      ['well', undefined, undefined],
    ]);
  });

  test('localhost, where only 127.0.0.1 listens', async () => {
    using job = aJob(configFor({ local: at('localhost') }), { names });
    expect(await seen(job)).toEqual({ local: 'observed' });
  });

  test('of a name with several addresses, the one that accepts is taken', async () => {
    dns.set('v4.test', { addresses: ['::1', '127.0.0.1'] });
    dns.set('third.test', { addresses: ['127.0.0.7', '127.0.0.8', '127.0.0.1'] });
    dns.set('none.test', { addresses: ['127.0.0.7', '127.0.0.8'] });
    using job = aJob(configFor({ v4: at('v4.test'), third: at('third.test'), none: at('none.test') }), { names });
    expect(await seen(job)).toEqual({
      v4: 'observed',
      third: 'observed',
      none: expect.stringMatching(/^unreachable: none\.test:\d+ cannot be reached: ECONNREFUSED \(nothing listens/),
    });
  });

  // A container may have none.
  const hasIpv6 = Object.values(networkInterfaces()).some((those) => those?.some(({ address }) => address === '::1'));
  test.skipIf(!hasIpv6)('an IPv6 address is taken where no IPv4 address accepts', async () => {
    await using v6 = await relay('::1', server.port);
    dns.set('v6.test', { addresses: ['127.0.0.1', '::1'] });
    using job = aJob(configFor({ v6: at('v6.test', v6.port) }), { names });
    expect(await seen(job)).toEqual({ v6: 'observed' });
  });

  test('a name that moves away from a server that does not answer is followed at once, whatever its TTL', async () => {
    await using other = await relay('127.0.0.2', server.port);
    dns.set('moves.test', { addresses: ['127.0.0.3'], ttl: 60 });
    using job = aJob(configFor({ moves: at('moves.test', other.port) }), { names });
    expect(await seen(job)).toEqual({ moves: expect.stringContaining('ECONNREFUSED') });
    dns.set('moves.test', { addresses: ['127.0.0.2'], ttl: 60 });
    expect(await seen(job)).toEqual({ moves: 'observed' });
  });

  test('a name that hangs is reached by its last address; and where that fails, both is told', async () => {
    const own = await relay('127.0.0.4', server.port);
    dns.set('flaps.test', { addresses: ['127.0.0.4'], ttl: 1 });
    using job = aJob(configFor({ flaps: at('flaps.test', own.port) }), { names });
    expect(await seen(job)).toEqual({ flaps: 'observed' });
    dns.set('flaps.test', 'hangs');
    const asked = dns.asked('flaps.test').A;
    await vi.waitFor(
      async () => {
        expect(await seen(job)).toEqual({ flaps: 'observed' });
        expect(dns.asked('flaps.test').A, 'the TTL is over').toBeGreaterThan(asked);
      },
      { timeout: 60_000, interval: 500 },
    );
    await own[Symbol.asyncDispose]();
    expect(await seen(job)).toEqual({
      flaps: expect.stringMatching(
        /^unreachable: flaps\.test:\d+ cannot be reached: ECONNREFUSED \(.*\); that was the address \d+ s ago; since then, no name server answered for flaps\.test/,
      ),
    });
  });

  describe('over TLS', () => {
    let tls: Relay;
    beforeAll(async () => {
      tls = await relay('127.0.0.1', server.port, { key: fixture('key.pem'), cert: fixture('cert.pem') });
      for (const name of ['carts.test', 'strange.test']) dns.set(name, { addresses: ['127.0.0.1'] });
    });
    afterAll(() => tls?.[Symbol.asyncDispose]());
    const aTlsJob = (urls: Readonly<Record<string, string>>, more = '') => {
      const env = { CA: fixture('cert.pem').toString() };
      return aJob(configFor(urls, `\n    tls: { ca: "env:CA"${more} }`), { names, env });
    };

    test('the certificate is checked by the configured name, and SNI has it', async () => {
      using job = aTlsJob({
        right: at('carts.test', tls.port, 'rediss'),
        wrong: at('strange.test', tls.port, 'rediss'),
      });
      expect(await seen(job)).toEqual({
        right: 'observed',
        wrong: expect.stringMatching(
          /^unreachable: TLS with strange\.test:\d+ failed: the certificate of the server is for other names \(.*DNS:carts\.test.*\)\..*\(ERR_TLS_CERT_ALTNAME_INVALID\)$/,
        ),
      });
      expect(tls.serverNames).toEqual(expect.arrayContaining(['carts.test', 'strange.test']));
    });

    test('an address is checked as an address, without SNI; `serverName` goes before both', async () => {
      using plain = aTlsJob({ right: at('127.0.0.1', tls.port, 'rediss') });
      const before = tls.serverNames.length;
      expect(await seen(plain)).toEqual({ right: 'observed' });
      expect(tls.serverNames).toHaveLength(before);
      using named = aTlsJob({ right: at('strange.test', tls.port, 'rediss') }, ', serverName: other.test');
      expect(await seen(named)).toEqual({ right: 'observed' });
      expect(tls.serverNames.at(-1)).toBe('other.test');
    });

    test('a handshake that never ends, and one that goes on for ever, end after three seconds', async () => {
      await using silent = await oddServer(() => {});
      // A record that is never whole, byte by byte.
      await using trickling = await oddServer((socket) => {
        socket.write(Buffer.from([0x16, 0x03, 0x03, 0x3f, 0xff, 0x02, 0x00, 0x3f, 0xfb]));
        const timer = setInterval(() => socket.write(Buffer.from([3])), 200);
        socket.on('close', () => clearInterval(timer));
      });
      using job = aTlsJob({
        silent: at('127.0.0.1', silent.port, 'rediss'),
        trickling: at('127.0.0.1', trickling.port, 'rediss'),
        well: at('carts.test', tls.port, 'rediss'),
      });
      expect(await seen(job)).toEqual({
        silent: expect.stringMatching(
          /^unreachable: .* did not complete a TLS handshake within 3000 ms\. If the server does not speak TLS/,
        ),
        trickling: expect.stringMatching(
          /^unreachable: .* did not complete a TLS handshake within 3000 ms\. If the server does not speak TLS/,
        ),
        well: 'observed',
      });
    });
  });
});

describeInOwnNetwork('F5: a machine whose own resolver hangs', (run) => {
  describe.skipIf(lacksServer('plain'))('with a healthy node beside twelve names', () => {
    test('the handler sees it, and publishes by the name of its endpoint', async () => {
      const { path, env } = serverBinary('plain');
      const told = await run(join(import.meta.dirname, '../support/hanging-resolver.ts'), {
        SERVER: JSON.stringify({ path, env }),
      });
      expect(told).toEqual({
        summary: { ticks: 1, nodes: 14, acted: 0, unreachable: 12, leased: 0 },
        reachable: { well: 1, short: 1, ...Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`dead-${n}`, 0])) },
        heartbeats: 1,
      });
    });
  });
});

interface Relay extends AsyncDisposable {
  readonly port: number;
  /** What clients have named in their TLS hellos. */
  readonly serverNames: readonly string[];
}

/** A further address of a server; with a certificate, over TLS. */
async function relay(host: string, target: number, certificate?: { readonly key: Buffer; readonly cert: Buffer }) {
  const serverNames: string[] = [];
  const sockets = new Set<Socket>();
  const pipe = (client: Socket) => {
    const upstream = connect(target, '127.0.0.1');
    client.pipe(upstream).pipe(client);
    client.on('error', () => upstream.destroy()).on('close', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
  };
  const SNICallback = (name: string, done: (error: null) => void) => {
    serverNames.push(name);
    done(null);
  };
  const server = certificate ? createTlsServer({ ...certificate, SNICallback }, pipe) : createServer(pipe);
  server.on('tlsClientError', () => {});
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    serverNames,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  } satisfies Relay;
}
