import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import { articleRecipe } from '../../cli/lab/article.ts';
import { settled } from '../../cli/lab/at-rest.ts';
import { clientOf } from '../../cli/lab/client.ts';
import { rssOf } from '../../cli/lab/floor.ts';
import { aWorkplace, runOffpeak, type Workplace } from '../support/offpeak.ts';
import { prometheusTools, serving } from '../support/prometheus.ts';
import { defragServer, lacksServer } from '../support/servers.ts';

const run = promisify(execFile);
const MIB = 1024 * 1024;

const CONFIG = `
runbook: https://wiki.example/offpeak
instances:
  - id: sessions
    nodes: [redis://10.0.3.17:6379, "redis://[fd00::1]:6379"]
    memoryLimit: 1GiB
    timezone: UTC
    windows: []
`;

async function rulesIn(place: Workplace, config: string, ...options: readonly string[]) {
  place.write('prod.yml', config);
  const { code, stdout, stderr } = await runOffpeak(['rules', '-c', 'prod.yml', ...options], { cwd: place.folder });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

/** Series of two figures of one node, a value a minute. */
const memoryOf = (instance: string, rss: string, used: string) => [
  { series: `redis_memory_used_rss_bytes{instance="${instance}",job="redis"}`, values: rss },
  { series: `redis_memory_used_bytes{instance="${instance}",job="redis"}`, values: used },
];

const UP = ['10.0.3.17:6379', '[fd00::1]:6379'].map((node) => ({
  series: `redis_up{instance="redis://${node}"}`,
  values: '1x120',
}));

interface Expected {
  readonly alertname: string;
  readonly eval_time: string;
  /** Of the nodes for which it fires. */
  readonly nodes: readonly string[];
}

describe('rules, by promtool', () => {
  test('are rules that Prometheus reads, also those of the example', async () => {
    const { promtool } = await prometheusTools();
    using place = aWorkplace();
    for (const config of [CONFIG, CONFIG.replace('sessions', 'a-b').replace(/memoryLimit.*\n/, '\n')]) {
      const file = place.write('rules.yml', await rulesIn(place, config));
      const { stdout } = await run(promtool, ['check', 'rules', file]);
      expect(stdout).toMatch(/SUCCESS: \d+ rules found/);
    }
    const example = join(import.meta.dirname, '../../config/example.yml');
    const printed = await runOffpeak(['rules', '-c', example, '--stage', 'prod']);
    const file = place.write('example-rules.yml', printed.stdout);
    expect((await run(promtool, ['check', 'rules', file])).stdout).toMatch(/SUCCESS/);
  });

  test.each<readonly [what: string, series: readonly object[], expected: readonly Expected[]]>([
    [
      'a ratio above the threshold fires when it has lasted, and no sooner',
      memoryOf('redis://10.0.3.17:6379', `${400 * MIB}x120`, `${250 * MIB}x120`),
      [
        { alertname: 'RedisFragmentationWarning', eval_time: '29m', nodes: [] },
        { alertname: 'RedisFragmentationWarning', eval_time: '31m', nodes: ['redis://10.0.3.17:6379'] },
        { alertname: 'RedisFragmentationCritical', eval_time: '60m', nodes: [] },
      ],
    ],
    [
      'a critical ratio fires for a node with IPv6 that is written without a scheme',
      memoryOf('[fd00::1]:6379', `${700 * MIB}x120`, `${250 * MIB}x120`),
      [{ alertname: 'RedisFragmentationCritical', eval_time: '11m', nodes: ['[fd00::1]:6379'] }],
    ],
    [
      'an empty server does not fire, whatever its ratio',
      memoryOf('redis://10.0.3.17:6379', `${13 * MIB}x120`, `${MIB}x120`),
      [{ alertname: 'RedisFragmentationCritical', eval_time: '60m', nodes: [] }],
    ],
    [
      'another node does not fire, nor one that is better again',
      [
        ...memoryOf('redis://110.0.3.17:6379', `${900 * MIB}x120`, `${100 * MIB}x120`),
        ...memoryOf('redis://10.0.3.17:6379', `${900 * MIB}x20 ${110 * MIB}x80`, `${100 * MIB}x120`),
      ],
      [
        { alertname: 'RedisFragmentationCritical', eval_time: '15m', nodes: ['redis://10.0.3.17:6379'] },
        { alertname: 'RedisFragmentationCritical', eval_time: '30m', nodes: [] },
      ],
    ],
    [
      'RSS near the limit fires',
      memoryOf('redis://10.0.3.17:6379', `${900 * MIB}x120`, `${850 * MIB}x120`),
      [
        { alertname: 'RedisNearMemoryLimit', eval_time: '4m', nodes: [] },
        { alertname: 'RedisNearMemoryLimit', eval_time: '6m', nodes: ['redis://10.0.3.17:6379'] },
      ],
    ],
  ])('%s', async (_, series, expected) => {
    const { promtool } = await prometheusTools();
    using place = aWorkplace();
    const rules = place.write('rules.yml', await rulesIn(place, CONFIG));
    const { groups } = parse(await rulesIn(place, CONFIG));
    const alerts = expected.map(({ alertname, eval_time, nodes }) => {
      const rule = groups[0].rules.find((one: { alert: string }) => one.alert === alertname);
      const exp_alerts = nodes.map((instance) => ({
        exp_labels: { ...rule.labels, instance, job: 'redis' },
        exp_annotations: {
          ...rule.annotations,
          summary: rule.annotations.summary.replace('{{ $labels.instance }}', instance),
        },
      }));
      return { alertname, eval_time, exp_alerts };
    });
    const tests = [{ interval: '1m', input_series: [...series, ...UP], alert_rule_test: alerts }];
    const file = place.write('tests.yml', stringify({ rule_files: [rules], evaluation_interval: '1m', tests }));
    const { stdout } = await run(promtool, ['test', 'rules', file]);
    expect(stdout).toMatch(/SUCCESS/);
  });

  test('fire for a node that does not answer, and for one that is no longer scraped', async () => {
    const { promtool } = await prometheusTools();
    using place = aWorkplace();
    const rules = place.write('rules.yml', await rulesIn(place, CONFIG));
    const [sessions] = parse(await rulesIn(place, CONFIG)).groups;
    const ofNode = (node: string) =>
      sessions.rules.find((one: { labels: { node?: string } }) => one.labels.node === node);
    const exp_alerts = ['10.0.3.17:6379', '[fd00::1]:6379'].map((node, index) => ({
      exp_labels: { ...ofNode(node).labels, ...(index === 0 && { instance: `redis://${node}` }) },
      exp_annotations: ofNode(node).annotations,
    }));
    const input_series = [{ series: 'redis_up{instance="redis://10.0.3.17:6379"}', values: '1x5 0x60' }];
    const alert_rule_test = [{ alertname: 'RedisUnreachable', eval_time: '20m', exp_alerts }];
    const tests = [{ interval: '1m', input_series, alert_rule_test }];
    const file = place.write('tests.yml', stringify({ rule_files: [rules], evaluation_interval: '1m', tests }));
    expect((await run(promtool, ['test', 'rules', file])).stdout).toMatch(/SUCCESS/);
  });
});

describe.skipIf(lacksServer('defrag'))('rules and dashboard, on a real exporter', () => {
  test('fire on the article’s recipe, at its ratio; every query has an answer', async () => {
    const { prometheus, exporter } = await prometheusTools();
    await using stack = new AsyncDisposableStack();
    const server = stack.use(await defragServer());
    const redis = stack.adopt(clientOf(server), (client) => client.disconnect());
    // Its TTLs run 20 times faster, and the server is at rest: what fires is not free pages that leave by themselves.
    await articleRecipe({ values: 24_000, clock: 20 }).build(redis);
    await settled(redis);
    const limit = Math.ceil((await rssOf(redis)) / MIB);
    const place = stack.use(aWorkplace());
    const yaml = `
instances:
  - id: sessions
    url: redis://127.0.0.1:${server.port}
    memoryLimit: ${limit}MiB
    timezone: UTC
    windows: []
    thresholds:
      fragmentationWarning: { for: 1m, floor: 16MiB }
      fragmentationCritical: { for: 1m, floor: 16MiB }
      rssCritical: { for: 1m }
`;
    const rules = place.write('rules.yml', await rulesIn(place, yaml));
    const dashboard = JSON.parse(await rulesIn(place, yaml, '--grafana'));
    const { port } = stack.use(
      await serving(exporter, (address) => ['-redis.addr=', `-web.listen-address=${address}`], '/metrics'),
    );
    // As redis_exporter's documentation sets it up for several targets.
    const relabel_configs = [
      { source_labels: ['__address__'], target_label: '__param_target' },
      { source_labels: ['__param_target'], target_label: 'instance' },
      { target_label: '__address__', replacement: `127.0.0.1:${port}` },
    ];
    const scrape_configs = [
      {
        job_name: 'redis',
        metrics_path: '/scrape',
        static_configs: [{ targets: [`redis://127.0.0.1:${server.port}`] }],
        relabel_configs,
      },
    ];
    const global = { scrape_interval: '1s', evaluation_interval: '1s' };
    const config = place.write('prometheus.yml', stringify({ global, rule_files: [rules], scrape_configs }));
    const { url } = stack.use(
      await serving(
        prometheus,
        (address) => [
          `--config.file=${config}`,
          `--storage.tsdb.path=${place.folder}/data`,
          `--web.listen-address=${address}`,
        ],
        '/-/ready',
      ),
    );
    await vi.waitFor(
      async () => {
        const { data } = (await (await fetch(`${url}/api/v1/alerts`)).json()) as AlertsAnswer;
        const firing = data.alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels.alertname);
        expect(firing.toSorted()).toEqual([
          'RedisFragmentationCritical',
          'RedisFragmentationWarning',
          'RedisNearMemoryLimit',
        ]);
      },
      { timeout: 600_000, interval: 1000 },
    );
    const ratio = await asked(url, 'redis_memory_used_rss_bytes / redis_memory_used_bytes');
    // The article's table ends with 2.58; a few values more or less have expired.
    expect(Math.abs(Number(ratio[0]?.value[1]) / 2.58 - 1)).toBeLessThan(0.15);
    const queries: readonly string[] = dashboard.panels.flatMap(({ targets }: PanelDocument) =>
      targets.map(({ expr }) => expr),
    );
    expect(queries.length).toBeGreaterThan(10);
    for (const expr of queries) {
      const query = expr.replaceAll('$node', '.*').replaceAll('$__rate_interval', '30s');
      expect(await asked(url, query), expr).toHaveLength(1);
    }
  }, 700_000);
});

/** The series that Prometheus answers with. */
async function asked(url: string, query: string): Promise<QueryAnswer['data']['result']> {
  const answer = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query })}`);
  return ((await answer.json()) as QueryAnswer).data.result;
}

interface QueryAnswer {
  readonly data: { readonly result: readonly { readonly value: readonly [at: number, value: string] }[] };
}

interface AlertsAnswer {
  readonly data: {
    readonly alerts: readonly { readonly state: string; readonly labels: { readonly alertname: string } }[];
  };
}

interface PanelDocument {
  readonly targets: readonly { readonly expr: string }[];
}
