import { describe, expect, test } from 'vitest';
import { fleetOf } from '../../../../cli/addresses.ts';
import type { Entry, Place } from '../../../../cli/entries.ts';
import { configText } from '../../../../cli/render/init-config.ts';
import { auditNode } from '../../../../core/audit/audit.ts';
import { parseConfig } from '../../../../core/config/parse.ts';
import type { NodeAudit } from '../../../../core/reconcile/audit-node.ts';
import { aNodeFacts } from '../../../support/audit.ts';
import { anInstance, NOW } from '../../../support/builders.ts';

function written(
  addresses: readonly string[],
  group: (index: number) => string,
  over: Parameters<typeof aNodeFacts>[0] = {},
  place: Place = { kind: 'nodes' },
) {
  const { config } = fleetOf(addresses, { env: {} });
  const nodes = config.instances.map((instance, index): NodeAudit => {
    const [node] = instance.nodes;
    if (!node) throw new Error('no node');
    const facts = aNodeFacts({ isConfigured: false, instance, ...over, inquiry: { replicationId: group(index) } });
    return { instance: instance.id, node: node.id, facts, answers: auditNode(facts) };
  });
  const groups = [...Map.groupBy(nodes, ({ facts, node }) => facts?.inquiry.replicationId ?? node).values()];
  const entries = groups.map((its): Entry => {
    const typed = its.flatMap(({ instance }) => config.instances.find(({ id }) => id === instance) ?? []);
    return { nodes: its, typed, place };
  });
  const text = configText(NOW, entries);
  const result = parseConfig(text, 'dev');
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return { text, config: result.config };
}

const apart = (index: number) => String(index).repeat(40);

describe('the config that init writes is accepted, and', () => {
  test('has an instance for each server, named by its host, that only watches', () => {
    const { config, text } = written(
      ['redis://cache-1.example:6380', 'rediss://cache-1.example', 'redis://10.0.0.9', 'redis://[::1]:7000'],
      apart,
    );
    expect(config.instances.map(({ id, nodes: [node], windows }) => [id, node?.id, node?.tls, windows])).toEqual([
      ['cache-1', 'cache-1.example:6380', false, []],
      ['cache-1-2', 'cache-1.example:6379', true, []],
      ['server-3', '10.0.0.9:6379', false, []],
      ['server-4', '[::1]:7000', false, []],
    ]);
    expect(text).toContain('# memoryLimit: 6GiB');
  });

  test('a primary and its replicas are one instance', () => {
    const { config } = written(['redis://a.example', 'redis://b.example', 'redis://c.example'], (index) =>
      (index === 2 ? 'c' : 'a').repeat(40),
    );
    expect(config.instances.map(({ id, nodes }) => [id, nodes.length])).toEqual([
      ['a', 2],
      ['c', 1],
    ]);
  });

  test('names what finds the nodes of a Cluster', () => {
    const cluster: Place = { kind: 'cluster', shards: 3, size: 6 };
    const { config, text } = written(['redis://a.example'], apart, {}, cluster);
    expect(config.instances).toMatchObject([{ id: 'a', discover: { cluster: { seeds: [{ id: 'a.example:6379' }] } } }]);
    expect(text).toContain('# A Cluster of 3 shards with 6 nodes.');
  });

  test('names what finds the nodes of a Sentinel set, with the password of both', () => {
    const sentinel: Place = { kind: 'sentinel', name: 'my.Master' };
    const { config } = written(['redis://:word@s1.example:26379'], apart, {}, sentinel);
    const credentials = { password: { source: 'env', name: 'MY_REDIS_PASSWORD' } };
    expect(config.instances).toMatchObject([
      {
        id: 'my',
        credentials,
        discover: { sentinel: { name: 'my.Master', sentinels: [{ id: 's1.example:26379' }], credentials } },
      },
    ]);
  });

  test('never holds a password: it refers to a variable', () => {
    const { config, text } = written(['redis://ops:p%40ss-word@cache.example'], apart);
    expect(text).not.toMatch(/p@ss|p%40ss|offpeak_address/);
    expect(config.instances[0]?.credentials).toEqual({
      username: 'ops',
      password: { source: 'env', name: 'CACHE_REDIS_PASSWORD' },
    });
  });

  test('has the findings as comments, and a limit that is known as a key', () => {
    const instance = anInstance({ memoryLimit: 2 ** 30, windows: [] });
    const { config, text } = written(['redis://a.example'], apart, {
      instance,
      settings: { 'jemalloc-bg-thread': 'no' },
    });
    expect(text).toMatch(/^ {2}# warning: background-thread: jemalloc-bg-thread is no/m);
    expect(text).toContain('  #   CONFIG SET jemalloc-bg-thread yes');
    expect(config.instances[0]?.memoryLimit).toBe(2 ** 30);
  });

  test('with the lines of `defaults` uncommented it has a window', () => {
    const { text } = written(['redis://a.example'], apart);
    const [head = '', ...rest] = text.split('\n\ninstances:');
    const uncommented = [head.replace(/^# (?=defaults:| )/gm, ''), ...rest].join('\n\ninstances:');
    const result = parseConfig(uncommented, 'dev');
    expect(result).toMatchObject({ ok: true, config: { instances: [{ windows: [{ start: '02:00' }] }] } });
  });

  test('what a server says cannot leave its comment', () => {
    const { config } = written(['redis://a.example'], apart, { settings: { save: '900 1\ninstances: []' } });
    expect(config.instances).toHaveLength(1);
  });
});
