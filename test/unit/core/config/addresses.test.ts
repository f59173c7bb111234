import { describe, expect, test } from 'vitest';
import { configOf, problemsOf } from './build.ts';

const ACCEPTED = 'redis://host:port or rediss://host:port, without user, password, query or database';

function fileWithUrl(url: string): string {
  return `instances:\n  - id: a\n    url: ${JSON.stringify(url)}`;
}

describe('an address', () => {
  test.each([
    ['redis://10.0.0.5', { id: '10.0.0.5:6379', host: '10.0.0.5', port: 6379, tls: false }],
    ['rediss://Redis.Internal:6380/', { id: 'redis.internal:6380', host: 'redis.internal', port: 6380, tls: true }],
    ['REDIS://h/0', { id: 'h:6379', host: 'h', port: 6379, tls: false }],
    ['redis://[2001:DB8:0:0::1]:7000', { id: '[2001:db8::1]:7000', host: '2001:db8::1', port: 7000, tls: false }],
  ])('%s becomes a node', (url, node) => {
    expect(configOf(fileWithUrl(url)).instances[0]?.nodes).toEqual([node]);
  });

  test.each([
    ['http://10.0.0.5:6379', '"http://10.0.0.5:6379"', 'is neither redis:// nor rediss://'],
    ['10.0.0.5:6379', '"10.0.0.5:6379"', 'is not an address'],
    ['localhost:6379', '"localhost:6379"', 'is neither redis:// nor rediss://'],
    ['redis:host', '(hidden)', 'is neither redis:// nor rediss://'],
    ['redis://', '"redis://"', 'has no host'],
    ['redis://h:0', '"redis://h:0"', 'has port 0'],
    ['redis://h:65536', '"redis://h:65536"', 'is not an address'],
    ['redis://-h', '"redis://-h"', 'has no valid host'],
    [
      'redis://$HOST:6379',
      'redis://(hidden)',
      'holds a variable, and none is replaced in an address: write the host itself',
    ],
    ['redis://h/3', '"redis://h/3"', 'names a database: memory belongs to the server, not to a database'],
    ['redis://h ', 'redis://(hidden)', 'is not an address'],
    [
      'redis://u:hunter2@h',
      'redis://(hidden)',
      'holds a user or a password: put them under `credentials`, by reference',
    ],
    ['redis://h?password=hunter2', 'redis://(hidden)', 'has a query: options have keys of their own here'],
    ['redis://h#hunter2', 'redis://(hidden)', 'has a query: options have keys of their own here'],
  ])('%s is refused', (url, value, refused) => {
    expect(problemsOf(fileWithUrl(url))).toEqual([
      { path: 'instances[0].url', value, accepted: ACCEPTED, message: `${value} ${refused}`, line: 3 },
    ]);
  });
});

describe('several nodes', () => {
  test('keep their order', () => {
    const { instances } = configOf('instances:\n- id: a\n  nodes: [redis://b, redis://a:1]');
    expect(instances[0]?.nodes.map((node) => node.id)).toEqual(['b:6379', 'a:1']);
  });

  test.each([
    ['[]', 'instances[0].nodes', 'a list is empty'],
    [
      `[${Array.from({ length: 101 }, (_, port) => `redis://h:${port + 1}`)}]`,
      'instances[0].nodes',
      'a list has more than 100 entries',
    ],
    ['redis://a', 'instances[0].nodes', '"redis://a" is not a list'],
    ['[redis://a, 7]', 'instances[0].nodes[1]', '7 is not an address'],
    ['[redis://a, redis://A:6379/0]', 'instances[0].nodes[1]', 'a:6379 is already at instances[0].nodes[0]'],
    ['[redis://a, rediss://b]', 'instances[0].nodes[1]', 'redis: and rediss: are mixed in one instance'],
  ])('%s are refused', (nodes, path, message) => {
    expect(problemsOf(`instances:\n- id: a\n  nodes: ${nodes}`)).toMatchObject([{ path, message }]);
  });

  test('exactly one of url, nodes and discover', () => {
    expect(problemsOf('instances:\n- id: a')).toMatchObject([
      { path: 'instances[0]', message: 'the instance has none of `url`, `nodes` and `discover`', line: 2 },
    ]);
    expect(problemsOf('instances:\n- id: a\n  url: redis://a\n  nodes: [redis://b]')).toMatchObject([
      { path: 'instances[0].nodes', message: 'the instance has both `url` and `nodes`', line: 4 },
    ]);
  });

  test('a node belongs to one instance', () => {
    const file = 'instances:\n- {id: a, url: redis://h}\n- {id: b, nodes: [redis://i, rediss://h:6379]}';
    expect(problemsOf(file).map(({ path, message }) => `${path}: ${message}`)).toContain(
      'instances[1].nodes[1]: h:6379 is already at instances[0].url',
    );
  });
});

describe('TLS', () => {
  test('its references and names are read', () => {
    const file = 'instances:\n- {id: a, url: rediss://h, tls: {ca: env:REDIS_CA_PEM, serverName: redis.internal}}';
    expect(configOf(file).instances[0]?.tls).toEqual({
      ca: { source: 'env', name: 'REDIS_CA_PEM' },
      serverName: 'redis.internal',
    });
  });

  test.each([
    [
      'instances:\n- {id: a, url: redis://h, tls: {}}',
      '`tls` is set (instances[0].tls), but h:6379 is a redis: address',
    ],
    [
      'defaults: {tls: {}}\ninstances:\n- {id: a, url: redis://h}',
      '`tls` is set (defaults.tls), but h:6379 is a redis: address',
    ],
  ])('goes with rediss: only, from defaults too', (file, message) => {
    expect(problemsOf(file)).toMatchObject([{ path: 'instances[0].url', message }]);
  });
});
