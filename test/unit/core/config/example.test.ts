import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { configJsonSchema } from '../../../../core/config/json-schema.ts';
import { parseConfig } from '../../../../core/config/parse.ts';
import { configOf } from './build.ts';

function read(name: string): string {
  return readFileSync(new URL(`../../../../config/${name}`, import.meta.url), 'utf8');
}

describe('config/schema.json', () => {
  test('is what the schema generates; if not, run `npm run schema`', () => {
    expect(JSON.parse(read('schema.json'))).toEqual(JSON.parse(JSON.stringify(configJsonSchema())));
  });

  test('describes every key, and knows the default of every key that has one', () => {
    const keys = keysOf(JSON.parse(read('schema.json')), '');
    expect(keys.filter(({ schema }) => typeof schema.description !== 'string')).toEqual([]);
    const required = /(instances|id|url|nodes|[.]days|start|duration|webhook|seeds|sentinels|sentinel[.]name)$/;
    const optional =
      /(defaults|credentials|username|password|iam|unencrypted|tls|ca|cert|key|passphrase|serverName|memoryLimit|timezone|maxOpsPerSecond|maxDuration|slack|chat|runbook|template|templates|discover|cluster|sentinel|natMap|elasticache|memorydb|tags|groups|region)$/;
    const settings = keys.filter(({ path }) => !required.test(path) && !optional.test(path));
    expect(settings).toHaveLength(2 * 30 + 13); // Once in defaults, once in an instance, and those of the stage.
    expect(settings.filter(({ schema }) => schema.default === undefined)).toEqual([]);
  });

  interface JsonSchema {
    readonly description?: string;
    readonly default?: unknown;
    readonly items?: JsonSchema;
    readonly properties?: Readonly<Record<string, JsonSchema>>;
  }

  function keysOf(schema: JsonSchema, path: string): { path: string; schema: JsonSchema }[] {
    const own = Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => [
      { path: `${path}.${key}`, schema: inner },
      ...keysOf(inner, `${path}.${key}`),
    ]);
    return schema.items === undefined ? own : [...own, ...keysOf(schema.items, `${path}[]`)];
  }
});

describe('config/example.yml', () => {
  const text = read('example.yml');
  const { stage, instances, ...stack } = configOf(text, 'example');
  const [sessions, carts, queue] = instances;

  test('tells editors its schema', () => {
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=./schema.json');
  });

  test('shows three instances', () => {
    expect(stage).toBe('example');
    expect(instances.map(({ id }) => id)).toEqual(['sessions', 'carts', 'queue']);
  });

  test('sessions has its address and limit, and the rest from defaults', () => {
    expect(sessions).toMatchObject({
      nodes: [{ id: 'sessions.redis.example:6379' }],
      memoryLimit: 6 * 1024 ** 3,
      timezone: 'Europe/Berlin',
      purge: { minReclaim: 256 * 1024 ** 2 },
      defrag: { maxStall: 5, cooldown: 12 * 3_600_000 },
      maxMainThreadCpu: 40,
      metrics: 'core',
    });
    expect(sessions?.windows.map(({ start }) => start)).toEqual(['02:00', '03:00']);
  });

  test('carts is a replication group over TLS, with thresholds of its own', () => {
    expect(carts?.nodes.map(({ id, tls }) => [id, tls])).toEqual([
      ['carts-1.redis.example:6379', true],
      ['carts-2.redis.example:6379', true],
    ]);
    expect(carts).toMatchObject({
      credentials: { username: 'offpeak', password: { source: 'ssm', name: '/offpeak/carts/password' } },
      tls: { ca: { source: 'secretsmanager', id: 'redis', key: 'ca-pem' } },
      maxMainThreadCpu: 30,
      maxOpsPerSecond: 20_000,
      defrag: { maxStall: 2, maxCpu: 25 },
      thresholds: { fragmentationWarning: { ratio: 1.4 }, fragmentationCritical: { ratio: 1.8 } },
      metrics: 'detailed',
    });
  });

  test('says who is told, and how often the job looks', () => {
    expect(stack).toEqual({
      maxDefragsAtOnce: 4,
      schedule: { every: 300_000, timezone: 'Europe/Berlin' },
      metrics: { send: 'classic' },
      notifications: {
        emails: [
          { address: 'redis-team@redis.example', from: 'info' },
          { address: 'oncall@redis.example', from: 'critical' },
        ],
        slack: { webhook: { source: 'ssm', name: '/offpeak/slack-webhook' }, from: 'info' },
        digest: 'info',
      },
      fleet: { queue: 'auto', workers: 16 },
      runbook: 'https://wiki.redis.example/offpeak-runbook',
      logRetention: 14,
    });
  });

  test('can be deployed as it is', () => {
    expect(parseConfig(text, 'example', 'deploy')).toMatchObject({ ok: true });
  });

  test('queue is only watched', () => {
    expect(queue?.windows).toEqual([]);
  });
});
