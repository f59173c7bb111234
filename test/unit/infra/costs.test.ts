import { describe, expect, test } from 'vitest';
import type { Network } from '../../../infra/network.ts';
import { monthlyCost } from '../../support/costs.ts';
import { deployable, fleetFile, LONELY_VPC, NO_NETWORK, QUEUE, stackFile } from './stacks.ts';

function cost(yaml: string, network: Network = NO_NETWORK) {
  const { lines, dollars } = monthlyCost(deployable(yaml), network);
  const of = (what: string) => lines.find((line) => line.what === what)?.dollars ?? 0;
  return { lines, dollars, of };
}

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

  test('looking every minute costs more than looking every hour', () => {
    const every = (interval: string) => cost(stackFile([QUEUE], `schedule: { every: ${interval} }`)).dollars;
    expect(every('1m')).toBeGreaterThan(every('1h'));
  });
});
