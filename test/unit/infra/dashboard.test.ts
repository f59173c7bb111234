import { describe, expect, test } from 'vitest';
import { NODE_METRICS } from '../../../core/domain/node-metrics.ts';
import type { Json } from '../../../infra/cloudformation.ts';
import { CARTS, fleetFile, propertiesOf, resourcesOf, stackFile } from './stacks.ts';

const REGION = `\${AWS::Region}`;

describe('the dashboard', () => {
  const LIMITS = { widgets: 500, linesOfGraph: 500, lines: 2500 };

  test.each([
    ['three instances', stackFile()],
    ['25 nodes', fleetFile(25)],
    ['800 nodes', fleetFile(800)],
  ])('of %s is valid JSON within the limits of CloudWatch', (_, yaml) => {
    const { widgets } = bodyOf(yaml);
    const lines = widgets.map(({ properties: { metrics = [] } }) => metrics.length);
    expect(widgets.length).toBeLessThanOrEqual(LIMITS.widgets);
    expect(Math.max(...lines)).toBeLessThanOrEqual(LIMITS.linesOfGraph);
    expect(lines.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(LIMITS.lines);
    for (const { x, width, type, properties } of widgets) {
      expect(x + width).toBeLessThanOrEqual(24);
      if (type === 'metric') expect(properties).toMatchObject({ region: REGION, title: expect.any(String) });
    }
  });

  test('no two widgets lie over each other', () => {
    const cells = bodyOf(stackFile()).widgets.flatMap(({ x, y, width, height }) =>
      Array.from({ length: width * height }, (_, n) => `${x + (n % width)},${y + Math.floor(n / width)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
  });

  test('has only the region for CloudFormation to fill in', () => {
    expect(new Set(JSON.stringify(bodyOf(stackFile())).match(/\$\{[^}]*\}/g))).toEqual(new Set([REGION]));
  });

  test('says when the windows are', () => {
    const [header] = bodyOf(stackFile()).widgets;
    expect(header?.properties.markdown).toContain('* daily 02:00 for 180 minutes (Europe/Berlin): **carts, sessions**');
    expect(header?.properties.markdown).toContain('* watched only: **queue**');
  });

  test.each([[25], [40], [800]])('of %i nodes says each window once', (nodes) => {
    const texts = bodyOf(fleetFile(nodes)).widgets.map(({ properties: { markdown = '' } }) => markdown);
    expect(texts.join('\n').match(/02:00 for 180 minutes/g)).toHaveLength(1);
    expect(texts[0]?.length).toBeLessThan(2_000);
    if (nodes === 800) expect(texts[0]).toContain('node-133** and 760 more');
  });

  const stacksOf = (yaml: string) =>
    bodyOf(yaml)
      .widgets.filter(({ properties: { stacked } }) => stacked === true)
      .map(({ properties }) => properties);

  test('draws what RSS is made of as a stack, for each node', () => {
    const stacks = stacksOf(stackFile());
    expect(stacks.map(({ title }) => title)).toEqual(
      ['carts-1.example:6379', 'carts-2.example:6379', '10.0.0.9:6379', 'sessions.example:6379'].map(
        (node) => `${node}: what RSS is made of`,
      ),
    );
    const core = ['UsedMemory', 'ExternalFragmentation', 'FreePages'];
    expect(stacks[0]?.metrics?.map((line) => Object(line)[1])).toEqual([
      'DataMemory',
      'BufferMemory',
      'ScriptMemory',
      'ExternalFragmentation',
      'FreePages',
      'ProcessOverhead',
    ]);
    expect(stacks[2]?.metrics?.map((line) => Object(line)[1])).toEqual(core);
  });

  test('of a fleet draws it for each instance, over all its nodes', () => {
    const stacks = stacksOf(fleetFile(26));
    expect(stacks).toHaveLength(26);
    expect(stacks[0]?.title).toBe('node-0: what RSS is made of, all nodes');
    expect(JSON.stringify(stacks[0]?.metrics)).toContain(
      `SUM(SEARCH('{Offpeak,Instance,Node,Stage} Stage=\\"prod\\" Instance=\\"node-0\\" MetricName=\\"UsedMemory\\"', 'Average', 300))`,
    );
    expect(stacksOf(fleetFile(800))).toHaveLength(50);
  });

  test("has what the article's dashboard and alerts read, for an instance with `metrics: detailed`", () => {
    const drawn = JSON.stringify(bodyOf(stackFile([CARTS])));
    for (const { name, set } of Object.values(NODE_METRICS))
      if (!['Reachable', 'MemoryLimitUsed'].includes(name))
        expect({ set, drawn: drawn.includes(name) }).toEqual({ set, drawn: true });
  });

  test('has what was returned as a sum of each day, of all the days that are shown', () => {
    const daily = (yaml: string) =>
      bodyOf(yaml).widgets.filter(({ properties: { title = '' } }) => /each day/.test(title));
    const shown = daily(stackFile());
    expect(shown.map(({ properties }) => properties.title)).toEqual(
      ['carts', 'queue', 'sessions'].map((id) => `${id}: returned each day, against predicted`),
    );
    for (const { properties } of [...shown, ...daily(fleetFile(26))]) {
      expect(properties).toMatchObject({ view: 'timeSeries', stat: 'Sum', period: 86_400 });
      expect(properties).not.toHaveProperty('setPeriodToTimeRange');
    }
    expect(JSON.stringify(daily(fleetFile(26)))).toMatch(
      /SEARCH\('[^']*MetricName=\\"ReclaimedMemory\\"', 'Sum', 86400\)/,
    );
  });

  describe('with metrics of nodes by OTLP', () => {
    const OTLP = 'metrics: { send: otlp }';
    const charts = (yaml: string) => bodyOf(yaml).widgets.filter(({ type }) => type === 'chart');
    const queries = (yaml: string) =>
      charts(yaml).flatMap(({ properties: { data } }) => data?.queries.map(({ query }) => query) ?? []);

    test.each([
      [
        'three instances',
        stackFile(undefined, OTLP),
        15,
        /^last_over_time\(offpeak_UsedMemory\{Stage="prod",Instance="carts"\}\[450s\]\)$/,
      ],
      [
        'a fleet',
        fleetFile(40, OTLP),
        47,
        /^topk\(20, last_over_time\(offpeak_UsedMemoryRss\{Stage="prod"\}\[450s\]\)\)$/,
      ],
    ] as const)('%s: the same graphs, by PromQL', (_, yaml, count, first) => {
      expect(charts(yaml)).toHaveLength(count);
      expect(queries(yaml)[0]).toMatch(first);
      for (const { properties } of charts(yaml))
        expect(properties).toMatchObject({ view: 'line', region: REGION, title: expect.any(String) });
      for (const query of queries(yaml)) expect(query).toMatch(/^[\w(, ]*offpeak_\w+\{Stage="prod"[^}]*\}\[\w+\]\)+$/);
      // A classic graph would be empty: nothing of a node is sent that way.
      const classic = bodyOf(yaml).widgets.filter(({ type }) => type === 'metric');
      expect(JSON.stringify(classic)).not.toContain('"Node"');
    });

    test('each query of a graph has an id of its own', () => {
      for (const {
        properties: { data },
      } of charts(stackFile(undefined, OTLP))) {
        const ids = data?.queries.map(({ id }) => id) ?? [];
        expect(new Set(ids).size).toBe(ids.length);
      }
    });
  });

  interface Widget {
    readonly type: string;
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
    readonly properties: {
      readonly stacked?: boolean;
      readonly title?: string;
      readonly metrics?: readonly Json[];
      readonly data?: { readonly queries: readonly { readonly id: string; readonly query: string }[] };
      readonly markdown?: string;
    };
  }

  function bodyOf(yaml: string): { readonly widgets: readonly Widget[] } {
    const body = propertiesOf(resourcesOf(yaml).Dashboard).DashboardBody as { 'Fn::Sub': string };
    return JSON.parse(body['Fn::Sub']);
  }
});
