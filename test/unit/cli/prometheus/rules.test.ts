import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { dashboardJson } from '../../../../cli/prometheus/dashboard.ts';
import { rulesYaml } from '../../../../cli/prometheus/rules.ts';
import { nodesMatcher } from '../../../../cli/prometheus/selector.ts';
import { parseConfig } from '../../../../core/config/parse.ts';
import type { Config } from '../../../../core/config/schema.ts';
import { anchorsOf } from '../../../support/headings.ts';

function configOf(yaml: string): Config {
  const result = parseConfig(yaml, 'prod');
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.config;
}

const CONFIG = configOf(`
runbook: https://wiki.example/offpeak
instances:
  - id: sessions
    nodes: [redis://10.0.3.17:6379, redis://10.0.3.18:6379]
    memoryLimit: 2GiB
    timezone: UTC
    windows: []
    thresholds: { fragmentationWarning: { ratio: 1.7, for: 45m, floor: 200MiB } }
  - { id: carts, url: redis://carts.example:6379, timezone: UTC, windows: [] }
`);

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[] = parse(
  rulesYaml(CONFIG, 'instance'),
).groups;

test('each instance has a group with its own thresholds', () => {
  expect(groups.map(({ name, rules }) => [name, rules.map(({ alert }) => alert)])).toEqual([
    [
      'offpeak-prod-sessions',
      [
        'RedisFragmentationWarning',
        'RedisFragmentationCritical',
        'RedisNearMemoryLimit',
        'RedisUnreachable',
        'RedisUnreachable',
      ],
    ],
    ['offpeak-prod-carts', ['RedisFragmentationWarning', 'RedisFragmentationCritical', 'RedisUnreachable']],
  ]);
  const [warning] = groups[0]?.rules ?? [];
  expect(warning).toMatchObject({
    for: '2700s',
    labels: { severity: 'warning', stage: 'prod', offpeak_instance: 'sessions' },
  });
  expect(warning?.expr).toMatch(/ > 1\.7 and .* >= 209715200$/);
});

test('each rule leads to its chapter of the runbook', () => {
  const anchors = anchorsOf(readFileSync(new URL('../../../../docs/runbook.md', import.meta.url), 'utf8'));
  const links = groups.flatMap(({ rules }) => rules.map(({ annotations }) => annotations.runbook_url ?? ''));
  expect(links.length).toBe(8);
  for (const link of links) expect(anchors).toContain(link.split('#')[1]);
  const { runbook: _, ...without } = CONFIG;
  expect(rulesYaml(without, 'instance')).not.toContain('runbook_url');
});

test('another label names the nodes where it is asked for', () => {
  const text = rulesYaml(CONFIG, 'addr');
  expect(text).toContain('{addr=~"');
  expect(text).toContain('{{ $labels.addr }}');
  expect(text).not.toContain('instance=~');
  expect(dashboardJson(CONFIG, 'addr')).not.toMatch(/instance=~|\{\{instance/);
});

test('a node is matched as a whole, with and without a scheme', () => {
  const [, pattern = ''] = /=~"(.*)"$/.exec(nodesMatcher('instance', ['10.0.3.1:6379', '[fd00::1]:6379'])) ?? [];
  // As PromQL reads its string, and anchors the expression.
  const matcher = new RegExp(`^(?:${pattern.replaceAll('\\\\', '\\')})$`);
  for (const good of ['10.0.3.1:6379', 'redis://10.0.3.1:6379', 'rediss://[fd00::1]:6379'])
    expect(good).toMatch(matcher);
  for (const bad of ['10.0.3.1:63790', '110.0.3.1:6379', '10x0.3.1:6379', 'http://10.0.3.1:6379'])
    expect(bad).not.toMatch(matcher);
});

test('the dashboard has the queries of the article, by the names that redis_exporter has', () => {
  const text = dashboardJson(CONFIG, 'instance');
  const names = [...new Set([...text.matchAll(/redis_[a-z_]+/g)].map(([name]) => name))];
  expect(names.toSorted()).toEqual([
    'redis_active_defrag_running',
    'redis_allocator_active_bytes',
    'redis_allocator_allocated_bytes',
    'redis_allocator_resident_bytes',
    'redis_defrag_hits',
    'redis_defrag_key_hits',
    'redis_defrag_key_misses',
    'redis_defrag_misses',
    'redis_memory_max_bytes',
    'redis_memory_used_bytes',
    'redis_memory_used_peak_bytes',
    'redis_memory_used_rss_bytes',
    'redis_up',
  ]);
  const { panels } = JSON.parse(text);
  const places = panels.map(({ gridPos: { x, y } }: { gridPos: { x: number; y: number } }) => `${x},${y}`);
  expect(new Set(places).size).toBe(panels.length);
});
