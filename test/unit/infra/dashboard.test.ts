import { describe, expect, test } from 'vitest';
import type { Json } from '../../../infra/cloudformation.ts';
import { fleetFile, propertiesOf, resourcesOf, stackFile } from './stacks.ts';

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
    expect(header?.properties.markdown).toContain(
      '* **sessions**: mon tue wed thu fri sat sun 02:00 for 180 minutes (Europe/Berlin)',
    );
    expect(header?.properties.markdown).toContain('* **queue**: watched only');
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

  interface Widget {
    readonly type: string;
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
    readonly properties: { readonly title?: string; readonly metrics?: readonly Json[]; readonly markdown?: string };
  }

  function bodyOf(yaml: string): { readonly widgets: readonly Widget[] } {
    const body = propertiesOf(resourcesOf(yaml).Dashboard).DashboardBody as { 'Fn::Sub': string };
    return JSON.parse(body['Fn::Sub']);
  }
});
