import { writeFileSync } from 'node:fs';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer, type TlsOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Outcome } from '../../../core/domain/outcome.ts';
import { type Authority, anAuthority, locked, type Pair } from '../../support/certificates.ts';
import { clientOf } from '../../support/fragmented.ts';
import { aJob, closedWindow } from '../../support/job.ts';
import { bulk, infoServer, type OddServer, oddServer } from '../../support/odd-server.ts';
import { reportInfo } from '../../support/reports.ts';
import { lacksServer, plainServer } from '../../support/servers.ts';
import { openTlsPort } from '../../support/tls-port.ts';

// Public reports 12 and 18, faults 6 and 12 of the new user: each failure of a connection names its remedy.

let authority: Authority;
let other: Authority;
let server: Pair;
let client: Pair;
beforeAll(() => {
  authority = anAuthority();
  other = anAuthority('Another Authority');
  server = authority.issue('localhost', { altName: 'DNS:localhost,IP:127.0.0.1' });
  client = authority.issue('offpeak');
});
afterAll(() => {
  authority?.[Symbol.dispose]();
  other?.[Symbol.dispose]();
});

/** Speaks TLS in front of a server that answers INFO. */
async function tlsServer(options: TlsOptions): Promise<OddServer> {
  const behind = await infoServer(() => bulk(reportInfo('denied-724')));
  const sockets = new Set<Socket>();
  const front = createServer(options, (socket) => {
    const upstream = connect(behind.port, '127.0.0.1');
    socket.on('error', () => upstream.destroy()).on('close', () => upstream.destroy());
    upstream.on('error', () => socket.destroy());
    socket.pipe(upstream).pipe(socket);
  });
  front.on('tlsClientError', () => {});
  front.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  return {
    port: (front.address() as AddressInfo).port,
    connections: () => sockets.size,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => front.close(resolve));
      await behind[Symbol.asyncDispose]();
    },
  };
}

interface Asked {
  readonly scheme?: 'redis' | 'rediss';
  readonly tls?: string;
  readonly env?: Record<string, string>;
}

async function outcomeAt(port: number, { scheme = 'rediss', tls = '', env = {} }: Asked): Promise<Outcome | undefined> {
  const options = tls === '' ? '' : `\n    tls: ${tls}`;
  using job = aJob(`instances:\n  - id: it\n    url: ${scheme}://127.0.0.1:${port}${options}${closedWindow()}\n`, {
    env,
  });
  const { outcomes } = await job.tick({ mode: 'watch' });
  const everything = JSON.stringify([outcomes, job.logs, job.metrics, job.alerts]);
  for (const secret of Object.values(env).filter((text) => text.length > 40)) {
    expect(everything).not.toContain(secret.slice(60, 100));
  }
  return outcomes[0];
}

const problem = (outcome: Outcome | undefined) => (outcome && 'problem' in outcome ? outcome.problem : undefined);
const CA_ONLY = '{ ca: "env:CA" }';
const MUTUAL = '{ ca: "env:CA", cert: "env:CERT", key: "env:KEY" }';
const asking = () => ({ ...server, ca: authority.ca, requestCert: true, rejectUnauthorized: true });

describe('a server that asks for a client certificate', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)('%s: none is configured', async (version) => {
    await using node = await tlsServer({ ...asking(), maxVersion: version, minVersion: version });
    const outcome = await outcomeAt(node.port, { tls: CA_ONLY, env: { CA: authority.ca } });
    expect(outcome?.kind).toBe('unreachable');
    expect(problem(outcome)).toMatchObject({
      kind: 'tls',
      message: expect.stringMatching(/client certificate.*tls\.cert and tls\.key/),
    });
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('%s: it is observed with the certificate and its key', async (version) => {
    await using node = await tlsServer({ ...asking(), maxVersion: version, minVersion: version });
    const env = { CA: authority.ca, CERT: client.cert, KEY: client.key };
    expect(await outcomeAt(node.port, { tls: MUTUAL, env })).toMatchObject({ kind: 'observed' });
  });

  test('an encrypted key is opened by its passphrase; a variable may hold \\n for its line breaks', async () => {
    await using node = await tlsServer(asking());
    const key = locked(client.key, 'correct horse').replaceAll('\n', '\\n');
    const env = { CA: authority.ca, CERT: client.cert, KEY: key, PASS: 'correct horse' };
    const tls = '{ ca: "env:CA", cert: "env:CERT", key: "env:KEY", passphrase: "env:PASS" }';
    expect(await outcomeAt(node.port, { tls, env })).toMatchObject({ kind: 'observed' });
  });

  test('another authority has signed it', async () => {
    await using node = await tlsServer(asking());
    const stranger = other.issue('offpeak');
    const outcome = await outcomeAt(node.port, {
      tls: MUTUAL,
      env: { CA: authority.ca, CERT: stranger.cert, KEY: stranger.key },
    });
    expect(problem(outcome)?.message).toMatch(/authority of tls\.cert|certificate in tls\.cert/);
  });
});

describe('what is wrong with the certificate of the server', () => {
  const rows: readonly (readonly [string, () => Pair, () => Asked, RegExp])[] = [
    [
      'a private authority, tls.ca not set',
      () => server,
      () => ({}),
      /an authority that this machine does not know|authority .* is unknown.*Set tls\.ca/,
    ],
    [
      'another authority in tls.ca',
      () => server,
      () => ({ tls: CA_ONLY, env: { CA: other.ca } }),
      /Set tls\.ca to the (?:PEM of the right )?authority/,
    ],
    [
      'another name',
      () => authority.issue('carts.test'),
      () => ({ tls: CA_ONLY, env: { CA: authority.ca } }),
      /is for other names \(DNS:carts\.test\)\. Connect to one of its names, or set tls\.serverName/,
    ],
    [
      'expired',
      () => authority.issue('localhost', { altName: 'IP:127.0.0.1', notAfter: '20250201000000Z' }),
      () => ({ tls: CA_ONLY, env: { CA: authority.ca } }),
      /has expired\. Renew it on the server/,
    ],
    [
      'not yet valid',
      () => authority.issue('localhost', { altName: 'IP:127.0.0.1', notBefore: '20980101000000Z' }),
      () => ({ tls: CA_ONLY, env: { CA: authority.ca } }),
      /is not valid yet\. Check the clocks/,
    ],
  ];
  test.each(rows)('%s', async (_what, pair, asked, message) => {
    await using node = await tlsServer(pair());
    const outcome = await outcomeAt(node.port, asked());
    expect(outcome?.kind).toBe('unreachable');
    expect(problem(outcome)).toMatchObject({ kind: 'tls', message: expect.stringMatching(message) });
  });

  test('another name, which tls.serverName allows', async () => {
    await using node = await tlsServer(authority.issue('carts.test'));
    const asked = { tls: '{ ca: "env:CA", serverName: carts.test }', env: { CA: authority.ca } };
    expect(await outcomeAt(node.port, asked)).toMatchObject({ kind: 'observed' });
  });
});

describe('what is wrong on the side of Offpeak is not the fault of the server', () => {
  const good = () => ({ CA: authority.ca, CERT: client.cert, KEY: client.key });
  const rows: readonly (readonly [string, () => Record<string, string>, RegExp])[] = [
    [
      'ca holds a path',
      () => ({ ...good(), CA: '/etc/ssl/redis-ca.pem' }),
      /^tls\.ca \(env:CA\) holds a path.*write tls\.ca: file:<path>$/,
    ],
    [
      'ca holds a key',
      () => ({ ...good(), CA: client.key }),
      /^tls\.ca \(env:CA\) holds a key, and should hold a certificate in PEM$/,
    ],
    ['ca is not PEM', () => ({ ...good(), CA: 'MIIBszCC' }), /^tls\.ca \(env:CA\) holds no PEM/],
    ['ca in base64', () => ({ ...good(), CA: Buffer.from(authority.ca).toString('base64') }), /holds base64 of a PEM/],
    ['ca is cut', () => ({ ...good(), CA: authority.ca.slice(0, 200) }), /holds a damaged certificate/],
    [
      'cert and key in each other’s place',
      () => ({ ...good(), CERT: client.key }),
      /^tls\.cert \(env:CERT\) holds a key/,
    ],
    [
      'the key of another certificate',
      () => ({ ...good(), KEY: server.key }),
      /^tls\.key does not belong to tls\.cert/,
    ],
    [
      'a cut key',
      () => ({ ...good(), KEY: `${client.key.slice(0, 80)}\n-----END PRIVATE KEY-----\n` }),
      /^tls\.key holds a damaged private key/,
    ],
    [
      'a locked key',
      () => ({ ...good(), KEY: locked(client.key, 'x1y2z3') }),
      /^tls\.key is encrypted: name its passphrase/,
    ],
    [
      'a variable that is not set',
      () => ({ CA: authority.ca, CERT: client.cert }),
      /^tls\.key: the environment variable KEY is not set$/,
    ],
  ];
  test.each(rows)('%s', async (_what, env, message) => {
    await using node = await tlsServer(asking());
    const outcome = await outcomeAt(node.port, { tls: MUTUAL, env: env() });
    expect(outcome?.kind).toBe('config-problem');
    expect(problem(outcome)).toMatchObject({ message: expect.stringMatching(message), expected: true });
  });

  test('a wrong passphrase', async () => {
    await using node = await tlsServer(asking());
    const env = { ...good(), KEY: locked(client.key, 'x1y2z3'), PASS: 'other' };
    const tls = '{ ca: "env:CA", cert: "env:CERT", key: "env:KEY", passphrase: "env:PASS" }';
    expect(problem(await outcomeAt(node.port, { tls, env }))).toMatchObject({
      kind: 'config-problem',
      message: 'tls.passphrase does not open tls.key',
    });
  });

  test.each<readonly [string, string, RegExp]>([
    ['is a folder', '', /is a folder: name a file in it$/],
    ['does not exist', 'nowhere.pem', /^tls\.ca: the file .*nowhere\.pem does not exist$/],
    ['is empty', 'empty.pem', /is empty$/],
    ['is larger than any', 'large.pem', /is larger than 1 MiB/],
    ['holds something else', 'text.pem', /^tls\.ca \(file:.*text\.pem\) holds no PEM/],
  ])('a file that %s', async (_what, name, message) => {
    writeFileSync(join(authority.folder, 'empty.pem'), '\n');
    writeFileSync(join(authority.folder, 'large.pem'), Buffer.alloc(2 ** 20 + 1, 'x'));
    writeFileSync(join(authority.folder, 'text.pem'), 'hello');
    await using node = await tlsServer(asking());
    const outcome = await outcomeAt(node.port, { tls: `{ ca: "file:${join(authority.folder, name)}" }` });
    expect(outcome?.kind).toBe('config-problem');
    expect(problem(outcome)?.message).toMatch(message);
  });

  test('a device without an end is not read', async () => {
    const outcome = await outcomeAt(1, { tls: '{ ca: "file:/dev/zero" }' });
    expect(problem(outcome)?.message).toMatch(/is not a file of text/);
  });

  test('a file with the right PEM', async () => {
    writeFileSync(join(authority.folder, 'right.pem'), authority.ca);
    await using node = await tlsServer(server);
    const tls = `{ ca: "file:${join(authority.folder, 'right.pem')}" }`;
    expect(await outcomeAt(node.port, { tls })).toMatchObject({ kind: 'observed' });
  });
});

describe('the wrong scheme', () => {
  test('redis:// on a TLS port', async () => {
    await using node = await tlsServer(server);
    const outcome = await outcomeAt(node.port, { scheme: 'redis' });
    expect(outcome?.kind).toBe('unreachable');
    expect(problem(outcome)?.message).toMatch(/rediss:\/\/ in place of redis:\/\//);
  });

  test.each([
    ['ends', (socket: Socket) => socket.end()],
    ['resets', (socket: Socket) => socket.resetAndDestroy()],
  ] as const)('redis:// on a port that %s the connection without a word', async (_what, close) => {
    await using node = await oddServer((socket) => socket.once('data', () => close(socket)));
    const outcome = await outcomeAt(node.port, { scheme: 'redis' });
    expect(problem(outcome)?.message).toMatch(
      /closed the unencrypted connection before it answered.*write rediss:\/\//,
    );
  });

  test.each([
    ['answers in clear', (socket: Socket) => socket.write('-ERR unknown command\r\n')],
    ['closes', (socket: Socket) => socket.end()],
    ['is silent', () => {}],
  ] as const)('rediss:// on a plain port that %s', async (_what, greet) => {
    await using node = await oddServer((socket) => socket.once('data', () => greet(socket)));
    const outcome = await outcomeAt(node.port, { scheme: 'rediss' });
    expect(problem(outcome)?.message).toMatch(/redis:\/\/ in place of rediss:\/\//);
  });
});

describe.skipIf(lacksServer('plain'))('a real server', () => {
  test('with tls-auth-clients, Redis’ default: first without, then with a client certificate; and without TLS', async (context) => {
    await using redis = await plainServer();
    const admin = clientOf(redis);
    try {
      const port = await openTlsPort(admin, authority);
      if (port === undefined) return context.skip('this redis-server is built without TLS');
      const refused = await outcomeAt(port, { tls: CA_ONLY, env: { CA: authority.ca } });
      expect(problem(refused)?.message).toMatch(/client certificate.*tls\.cert and tls\.key/);
      const env = { CA: authority.ca, CERT: client.cert, KEY: client.key };
      expect(await outcomeAt(port, { tls: MUTUAL, env })).toMatchObject({ kind: 'observed' });
      const plain = await outcomeAt(port, { scheme: 'redis' });
      expect(problem(plain)?.message).toMatch(/rediss:\/\/ in place of redis:\/\//);
    } finally {
      admin.disconnect();
    }
  });
});
