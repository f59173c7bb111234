import { lookup as systemLookup } from 'node:dns/promises';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseHosts } from '../../../core/adapters/dns/hosts-file.ts';
import { createNames, type Names, type NamesOptions } from '../../../core/adapters/dns/names.ts';
import { type DnsBehaviour, type DnsServer, dnsServer } from '../../support/dns-server.ts';

let dns: DnsServer;
beforeAll(async () => {
  dns = await dnsServer();
});
afterAll(async () => {
  await dns?.[Symbol.asyncDispose]();
});

/** Of our own server only, with a clock that can be moved on, in seconds. */
function names(options: NamesOptions = {}): Names & { pass(seconds: number): void } {
  let offset = 0;
  const now = () => performance.now() + offset;
  const pass = (seconds: number) => {
    offset += seconds * 1000;
  };
  return { ...createNames({ servers: [dns.address], hostsPath: '/dev/null', now, ...options }), pass };
}

let count = 0;
/** A name that no other test has. */
function aName(behaviour?: DnsBehaviour): string {
  const name = `node-${++count}.test`;
  if (behaviour) dns.set(name, behaviour);
  return name;
}

const failure = (resolving: Promise<unknown>) =>
  resolving.then(
    () => 'resolved',
    (error: { code?: string; message?: string }) => ({ code: error.code, message: error.message }),
  );

describe('an address comes from', () => {
  test('itself, where the host is one: nobody is asked', async () => {
    expect(await names().resolve('10.0.3.17')).toEqual({ addresses: ['10.0.3.17'] });
    expect(await names().resolve('fe80::1')).toEqual({ addresses: ['fe80::1'] });
  });

  test('DNS: both families, IPv4 first', async () => {
    const name = aName({ addresses: ['2001:db8::7', '10.0.0.2', '10.0.0.1'] });
    expect((await names().resolve(name)).addresses).toEqual(['10.0.0.2', '10.0.0.1', '2001:db8::7']);
    const v6 = aName({ addresses: ['2001:db8::8'] });
    expect((await names().resolve(v6)).addresses).toEqual(['2001:db8::8']);
  });

  test('the hosts file, before DNS', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'offpeak-hosts-'));
    const hostsPath = join(folder, 'hosts');
    const name = aName({ addresses: ['10.0.0.1'] });
    writeFileSync(hostsPath, `127.0.0.1 localhost\n::7 ${name}\n10.9.9.9 other ${name.toUpperCase()} # a note\n`);
    const own = names({ hostsPath });
    expect((await own.resolve(name)).addresses).toEqual(['10.9.9.9', '::7']);
    expect(dns.asked(name)).toEqual({ A: 0, AAAA: 0 });
    writeFileSync(hostsPath, '');
    own.pass(11);
    expect((await own.resolve(name)).addresses).toEqual(['10.0.0.1']);
    rmSync(folder, { recursive: true });
  });

  test('the system, for what DNS does not know', async () => {
    expect((await names().resolve('localhost')).addresses).toContain('127.0.0.1');
    expect(dns.asked('localhost')).toEqual({ A: 1, AAAA: 1 });
  });

  test('TCP, where the answer is cut off over UDP', async () => {
    const name = aName({ truncated: ['10.0.0.5', '2001:db8::5'] });
    expect((await names().resolve(name)).addresses).toEqual(['10.0.0.5', '2001:db8::5']);
  });

  test('one family, where the name server ignores questions for the other', async () => {
    const v4 = aName({ hangs: 'AAAA', addresses: ['10.0.0.6'] });
    const v6 = aName({ hangs: 'A', addresses: ['2001:db8::6'] });
    const own = names();
    const both = await Promise.all([own.resolve(v4), own.resolve(v6)]);
    expect(both.flatMap(({ addresses }) => addresses)).toEqual(['10.0.0.6', '2001:db8::6']);
  });
});

test.each([
  ['words that are no address', 'host 10.0.0.1\n999.1.1.1 a\n', []],
  ['nothing but remarks', '# 10.0.0.1 a\n\n   \n10.0.0.2 # b\n', []],
  [
    'tabs, names of any case, an address twice',
    '10.0.0.1\tA b\r\n10.0.0.1 a\n',
    [
      ['a', ['10.0.0.1']],
      ['b', ['10.0.0.1']],
    ],
  ],
  [
    'names that objects have',
    '10.0.0.1 __proto__ constructor\n',
    [
      ['__proto__', ['10.0.0.1']],
      ['constructor', ['10.0.0.1']],
    ],
  ],
] as const)('a hosts file with %s', (_, text, entries) => {
  expect([...parseHosts(text)]).toEqual(entries);
});

describe('a name that leads nowhere', () => {
  test('hangs for three seconds at most, and keeps nobody waiting: F5', async () => {
    const own = names();
    let isOver = false;
    const hanging = Promise.allSettled(Array.from({ length: 64 }, () => own.resolve(aName('hangs')))).finally(() => {
      isOver = true;
    });
    const healthy = aName({ addresses: ['10.0.0.1'] });
    // A thread of libuv's pool is what `getaddrinfo` needs.
    const [found, local] = await Promise.all([names().resolve(healthy), systemLookup('localhost', { family: 4 })]);
    expect({ isOver, found: found.addresses, local: local.address }).toEqual({
      isOver: false,
      found: ['10.0.0.1'],
      local: '127.0.0.1',
    });
    for (const one of await hanging) expect(one).toMatchObject({ status: 'rejected', reason: { code: 'ETIMEDOUT' } });
    const name = aName('hangs');
    expect(await failure(own.resolve(name))).toEqual({
      code: 'ETIMEDOUT',
      message: `no name server answered for ${name} within 3000 ms`,
    });
  });

  test('does not exist: ENOTFOUND', async () => {
    const name = aName('nxdomain');
    expect(await failure(names().resolve(name))).toEqual({
      code: 'ENOTFOUND',
      message: `there is no such name as ${name}`,
    });
    const empty = aName({ addresses: [] });
    expect(await failure(names().resolve(empty))).toMatchObject({ code: 'ENOTFOUND' });
  });

  test.each(['servfail', 'refused'] as const)('%s', async (behaviour) => {
    const name = aName(behaviour);
    expect(await failure(names().resolve(name))).toEqual({
      code: 'EAI_AGAIN',
      message: expect.stringMatching(`^the name servers refuse to answer for ${name}: E[A-Z]+$`),
    });
  });

  test('garbage', async () => {
    expect(await failure(names().resolve(aName('garbage')))).toMatchObject({
      code: expect.stringMatching(/^(ETIMEDOUT|EAI_AGAIN)$/),
    });
  });

  test('a name server that is not there', async () => {
    const gone = await dnsServer();
    await gone[Symbol.asyncDispose]();
    expect(await failure(names({ servers: [gone.address] }).resolve(aName()))).toMatchObject({
      code: expect.stringMatching(/^(ETIMEDOUT|EAI_AGAIN)$/),
    });
  });

  test('is asked for elsewhere, where the first name server is silent and the second one is not', async () => {
    await using silent = await dnsServer();
    const name = aName({ addresses: ['10.0.0.1'] });
    silent.set(name, 'hangs');
    expect((await names({ servers: [silent.address, dns.address] }).resolve(name)).addresses).toEqual(['10.0.0.1']);
  });
});

describe('what is known', () => {
  test('is asked for once, however many want it', async () => {
    const name = aName({ addresses: ['10.0.0.1'] });
    const own = names();
    await Promise.all(Array.from({ length: 100 }, () => own.resolve(name)));
    await own.resolve(name);
    expect(dns.asked(name)).toEqual({ A: 1, AAAA: 1 });
  });

  test.each([
    ['its TTL', 20, 20],
    ['a minute at most', 86_400, 60],
    ['a second at least', 0, 1],
  ])('serves for %s; then a name that has moved is followed', async (_, ttl, lasts) => {
    const name = aName({ addresses: ['10.0.0.1'], ttl });
    const own = names();
    await own.resolve(name);
    dns.set(name, { addresses: ['10.0.0.2'], ttl });
    if (ttl > 0) {
      own.pass(lasts - 5);
      expect((await own.resolve(name)).addresses).toEqual(['10.0.0.1']);
    }
    own.pass(6);
    expect((await own.resolve(name)).addresses).toEqual(['10.0.0.2']);
  });

  test.each(['hangs', 'servfail'] as const)(
    'serves for five minutes when the name servers fail (%s), and is told',
    async (how) => {
      const name = aName({ addresses: ['10.0.0.1'] });
      const own = names();
      await own.resolve(name);
      dns.set(name, how);
      own.pass(70);
      expect(await own.resolve(name)).toMatchObject({
        addresses: ['10.0.0.1'],
        stale: expect.stringMatching(
          /^that was the address 7\d s ago; since then, (no|the) name servers? .* for node-/,
        ),
      });
      const { A } = dns.asked(name);
      await own.resolve(name);
      expect(dns.asked(name).A, 'it is not asked for again at once').toBe(A);
      own.pass(231);
      expect(await failure(own.resolve(name))).toMatchObject({ code: expect.stringMatching(/ETIMEDOUT|EAI_AGAIN/) });
    },
  );

  test('is asked for anew when it is in doubt, and serves all the same while the name servers are silent', async () => {
    const name = aName({ addresses: ['10.0.0.1'] });
    const own = names();
    await own.resolve(name);
    own.doubt(name);
    dns.set(name, { addresses: ['10.0.0.2'] });
    expect((await own.resolve(name)).addresses).toEqual(['10.0.0.2']);
    own.doubt(name);
    dns.set(name, 'hangs');
    expect(await own.resolve(name)).toMatchObject({ addresses: ['10.0.0.2'], stale: expect.any(String) });
  });

  test('is forgotten when there is no such name any more: it may be the address of another server by now', async () => {
    const name = aName({ addresses: ['10.0.0.1'], ttl: 1 });
    const own = names();
    await own.resolve(name);
    dns.set(name, 'nxdomain');
    own.pass(2);
    expect(await failure(own.resolve(name))).toMatchObject({ code: 'ENOTFOUND' });
  });
});

describe('lookup, for sockets', () => {
  test('an HTTP request goes to where the name leads', async () => {
    const server = createServer((_, response) => response.end('here'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const host = aName({ addresses: ['127.0.0.1'] });
    const status = await new Promise((resolve, reject) => {
      get({ host, port, lookup: names().lookup, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on('error', reject);
    });
    server.close();
    expect(status).toBe(200);
  });

  test('one address or all, of one family or of both; a failure has a code', async () => {
    const host = aName({ addresses: ['10.0.0.1', '2001:db8::1'] });
    const own = names();
    const looked = (options: object, name = host) =>
      new Promise((resolve) => own.lookup(name, options, (...answer) => resolve(answer)));
    expect(await looked({})).toEqual([null, '10.0.0.1', 4]);
    expect(await looked({ family: 6 })).toEqual([null, '2001:db8::1', 6]);
    expect(await looked({ family: 'IPv4', all: true })).toEqual([null, [{ address: '10.0.0.1', family: 4 }]]);
    expect(await looked({ all: true })).toMatchObject([null, [{ family: 4 }, { family: 6 }]]);
    const [error] = (await looked({ family: 6 }, aName({ addresses: ['10.0.0.1'] }))) as [unknown];
    expect(error).toMatchObject({ code: 'ENOTFOUND' });
  });
});
