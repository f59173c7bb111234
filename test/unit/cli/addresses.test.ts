import { describe, expect, test } from 'vitest';
import { fleetOf } from '../../../cli/addresses.ts';

const fleet = (addresses: readonly string[], env = {}, memoryLimit?: string) =>
  fleetOf(addresses, { env, memoryLimit });
const refusal = (...addresses: readonly string[]) => {
  try {
    fleet(addresses);
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : '';
  }
  return 'accepted';
};

describe('servers by their addresses', () => {
  test('are instances with the default policies, and without a window', () => {
    const { config } = fleet(['redis://b.example', 'rediss://[::1]:7000']);
    expect(config.instances).toMatchObject([
      { id: 'server-1', nodes: [{ id: 'b.example:6379', tls: false }], windows: [], purge: { enabled: true } },
      { id: 'server-2', nodes: [{ id: '[::1]:7000', tls: true }] },
    ]);
    expect(fleet(['redis://a'], {}, '6GiB').config.instances).toMatchObject([
      { id: 'server', memoryLimit: 6 * 2 ** 30 },
    ]);
  });

  test('with the certificates that are typed, where they speak TLS', () => {
    const typed = { ca: 'certs/ca.pem', cert: 'certs/c.pem', key: 'certs/c.key' };
    const { config } = fleetOf(['redis://a', 'rediss://b'], { env: {}, tls: typed });
    expect(config.instances.map(({ tls }) => tls)).toEqual([
      undefined,
      Object.fromEntries(Object.entries(typed).map(([name, path]) => [name, { source: 'file', path }])),
    ]);
    const refused =
      (tls: object, address = 'rediss://b') =>
      () =>
        fleetOf([address], { env: {}, tls });
    expect(refused(typed, 'redis://a')).toThrow(
      'check: a certificate is for TLS; accepted beside it: rediss:// addresses',
    );
    expect(refused({ cert: 'c.pem' })).toThrow(
      /^check --key: is missing: --cert is of no use without it; accepted: a path/,
    );
    expect(refused({ ca: '' })).toThrow(/^check --cacert: .*; accepted: a path to a PEM file$/);
  });

  test('sign in as the address says, else with REDISCLI_AUTH; the config holds a reference', () => {
    const { config, env, exposed } = fleet(['redis://ops:p%40ss@a:1', 'redis://b:2'], { REDISCLI_AUTH: 'other' });
    expect(JSON.stringify(config)).not.toMatch(/p@ss|p%40ss|other/);
    const [a, b] = config.instances.map(({ credentials }) => credentials?.password);
    expect([a, b].map((reference) => (reference?.source === 'env' ? env[reference.name] : undefined))).toEqual([
      'p@ss',
      'other',
    ]);
    expect(config.instances[0]?.credentials?.username).toBe('ops');
    expect(exposed).toEqual(['a:1']);
    expect(fleet(['redis://a:1']).config.instances[0]?.credentials?.password).toBeUndefined();
  });
});

test.each([
  ['127.0.0.1:6379', '"127.0.0.1:6379" is not an address'],
  ['http://h', '"http://h" is not an address'],
  ['redis://h:0', '"redis://h:0" has port 0'],
  ['redis://h:1/5', '"redis://h:1/5" names a database'],
  ['redis://', 'has no host'],
  ['redis://:hunter2@h:99999', 'is not an address'],
  ['redis://:hunter2@h:1?db=3', 'has a query'],
  ['//h?password=hunter2', '(hidden, since it may hold a password) is not an address'],
  ['127.0.0.1:6379#hunter2', '(hidden, since it may hold a password) is not an address'],
  ['hunter2@h', '(hidden, since it may hold a password) is not an address'],
  ['redis://:hunter2%zz@h', 'user or password of an address'],
])('%s is refused, with what is accepted and without a password', (address, expected) => {
  const text = refusal(address);
  expect(text).toMatch(/^UsageError: check: .*; accepted: /);
  expect(text).toContain(expected);
  expect(text).not.toContain('hunter2');
});

test('one server twice is refused', () => {
  expect(refusal('redis://h', 'rediss://h:6379')).toMatch(/^UsageError: check: h:6379 is named twice; accepted: /);
});

test('a size that is none names its option', () => {
  expect(() => fleet(['redis://h'], {}, '6')).toThrow(
    /^check --memory-limit: "6" has no unit; accepted: a size with a unit/,
  );
});
