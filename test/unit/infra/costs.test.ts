import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Network } from '../../../infra/network.ts';
import { callsOfTick, monthlyCost } from '../../support/costs.ts';
import { deployable, fleetFile, LONELY_VPC, NO_NETWORK, QUEUE, stackFile } from './stacks.ts';

function cost(yaml: string, network: Network = NO_NETWORK) {
  const { lines, dollars } = monthlyCost(deployable(yaml), network);
  const of = (what: string) => lines.find((line) => line.what === what)?.dollars ?? 0;
  return { lines, dollars, of };
}

/** What the ticks of healthy fleets have asked of AWS: rows of a table in docs/performance.md. */
function countedCalls() {
  const page = readFileSync(new URL('../../../docs/performance.md', import.meta.url), 'utf8');
  const [, table = ''] = /<!-- fleet-queue:start -->(.*)<!-- fleet-queue:end -->/s.exec(page) ?? [];
  const [head = [], , ...rows] = table
    .trim()
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()));
  const cellsOf = (row: readonly string[]) => Object.fromEntries(head.map((name, at) => [name, row[at] ?? '']));
  const next = rows.map(cellsOf).filter(({ fleet, tick }) => fleet === 'healthy' && tick === 'next');
  return [...Map.groupBy(next, ({ nodes }) => nodes)].map(([nodes = '', lines]) => {
    const counts = new Map<string, number>();
    for (const [, count, name = ''] of lines.flatMap((line) => [
      ...(line['calls to AWS'] ?? '').matchAll(/(\d+) (\w+)/g),
    ]))
      counts.set(name, (counts.get(name) ?? 0) + Number(count));
    return { nodes: Number(nodes.replaceAll(',', '')), batches: Number(lines[0]?.messages), counts };
  });
}

describe('the calls of a tick through the queue', () => {
  const counted = countedCalls();

  test('were counted for 1,000 and for 10,000 nodes', () => {
    expect(counted.map(({ nodes }) => nodes)).toEqual([1_000, 10_000]);
  });

  test.each(counted)('are those that the bench has counted for $nodes nodes', ({ batches, counts }) => {
    const { invocations: _, ...calls } = callsOfTick(batches, 0);
    for (const [name, expected] of Object.entries(calls)) {
      const seen = counts.get(name) ?? 0;
      // A slow machine has a node that does not answer in time, and a poller finds the queue empty once.
      expect(seen, name).toBeGreaterThanOrEqual(expected);
      expect(seen, name).toBeLessThanOrEqual(Math.max(expected * 1.1, expected + 2));
    }
    const known = [...Object.keys(calls), 'BatchGetItem'];
    expect([...counts.keys()].filter((name) => !known.includes(name))).toEqual([]);
  });
});

describe('what a month costs', () => {
  test('is the sum of its lines, each of them count times price', () => {
    const { lines, dollars } = cost(stackFile());
    expect(dollars).toBeCloseTo(
      lines.reduce((sum, line) => sum + line.dollars, 0),
      2,
    );
    for (const { count, each, dollars: line } of lines) expect(line).toBeCloseTo(count * each, 2);
  });

  test('a node that is only watched adds its 6 core metrics, that of a fork by the hour, and 5 alarm metrics', () => {
    const another = QUEUE.replace('queue', 'other').replace('10.0.0.9', '10.0.0.8');
    const [one, two] = [cost(stackFile([QUEUE])), cost(stackFile([QUEUE, another]))];
    expect(two.of('custom metrics') - one.of('custom metrics')).toBeCloseTo((6 + 4 / 24) * 0.3, 1);
    expect(two.of('metrics read by alarms') - one.of('metrics read by alarms')).toBeCloseTo(5 * 0.1);
  });

  test('a detailed instance adds 13 more metrics', () => {
    const detailed = QUEUE.replace('windows: []', 'windows: [], metrics: detailed');
    const difference = cost(stackFile([detailed])).of('custom metrics') - cost(stackFile([QUEUE])).of('custom metrics');
    expect(difference).toBeCloseTo(13 * 0.3);
  });

  test('alarms are bounded: 26 nodes cost less than 25, and 500 as much as 26', () => {
    const alarms = (nodes: number) => cost(fleetFile(nodes)).of('metrics read by alarms');
    expect(alarms(25)).toBeGreaterThan(alarms(26));
    expect(alarms(500)).toBe(alarms(26));
  });

  test('each endpoint costs by the hour, in each subnet; the gateway nothing', () => {
    expect(cost(stackFile([QUEUE]), LONELY_VPC).of('endpoint hours')).toBeCloseTo(2 * 2 * 730 * 0.01);
    expect(cost(stackFile([QUEUE])).of('endpoint hours')).toBe(0);
  });

  test('the queue adds messages, workers and their metrics, and nothing for each node', () => {
    const queued = (nodes: number) => cost(fleetFile(nodes, 'fleet: { queue: always }'));
    const [without, small, large] = [cost(fleetFile(250)), queued(250), queued(500)];
    expect(without.of('SQS requests, millions')).toBeLessThan(small.of('SQS requests, millions'));
    expect(small.of('DynamoDB writes, millions') - without.of('DynamoDB writes, millions')).toBeCloseTo(
      (10 * 8_760 * 0.625) / 1e6,
      1,
    );
    expect(large.of('metrics read by alarms')).toBe(small.of('metrics read by alarms'));
  });

  test('looking every minute costs more than looking every hour', () => {
    const every = (interval: string) => cost(stackFile([QUEUE], `schedule: { every: ${interval} }`)).dollars;
    expect(every('1m')).toBeGreaterThan(every('1h'));
  });
});
