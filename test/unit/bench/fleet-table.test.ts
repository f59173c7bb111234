import { expect, test } from 'vitest';
import { configOf } from '../../../bench/fleet/packaged.ts';
import { sharedTableOf } from '../../../bench/fleet/queue-results.ts';
import { tableOf } from '../../../bench/fleet/results.ts';

const answer = { ticks: 1, nodes: 3, acted: 0, unreachable: 1, leased: 0 };
const tick = (wall: number) => ({
  wall,
  cpu: wall / 2,
  rss: 100 * 2 ** 20,
  answer,
  sockets: 2,
  calls: [{ operation: 'Query' }, { operation: 'PutMetricData' }, { operation: 'Query' }],
});

test('the first tick of a container stands beside the median of the next, and what each has asked of AWS', () => {
  const exporter = { wall: 500, cpu: 100, rss: 2 ** 20, answered: 2 };
  const row = {
    mix: 'mixed',
    nodes: 1_000,
    cold: tick(4_000),
    warm: [tick(1_000), tick(3_000), tick(2_000)],
    exporter,
  } as const;
  expect(tableOf([row]).split('\n').slice(2)).toEqual([
    '| 1,000 | mixed | Offpeak, first tick | 4.00 | 2.00 | 100 | 2 | 2 Query, 1 PutMetricData | 0 | 1 |',
    '| 1,000 | mixed | Offpeak, next ticks | 2.00 | 1.00 | 100 | 2 | 2 Query, 1 PutMetricData | 0 | 1 |',
    '| 1,000 | mixed | redis_exporter | 0.50 | 0.10 | 1 |  |  |  |  |',
  ]);
});

test('through the queue, a dispatch and its workers have a line each, by the first tick and the median of the next', () => {
  const part = (cpu: number, invocations: number) => ({
    ...{ invocations, cpu, wall: 2 * cpu, rss: 100 * 2 ** 20, sockets: 7 },
    calls: [{ operation: 'Query' }, { operation: 'Query' }, { operation: 'UpdateItem' }],
  });
  const shared = (cpu: number) => ({ dispatch: part(cpu, 1), workers: part(10 * cpu, 6), batches: 21, unreachable: 3 });
  const row = { mix: 'healthy', nodes: 1_000, cold: shared(400), warm: [100, 300, 200].map(shared) } as const;
  const asked = '100 | 7 | 2 Query, 1 UpdateItem';
  expect(sharedTableOf([row]).split('\n').slice(2)).toEqual([
    `| 1,000 | healthy | first | dispatch | 21 | 1 | 0.80 | 0.40 | 0.40 | ${asked} |  |`,
    `| 1,000 | healthy | first | workers | 21 | 6 | 8.00 | 4.00 | 4.00 | ${asked} | 3 |`,
    `| 1,000 | healthy | next | dispatch | 21 | 1 | 0.40 | 0.20 | 0.20 | ${asked} |  |`,
    `| 1,000 | healthy | next | workers | 21 | 6 | 4.00 | 2.00 | 2.00 | ${asked} | 3 |`,
  ]);
});

test('a fleet that no file can hold is one config, each node once', () => {
  const ports = { answering: 1, silent: 2, closed: 3 };
  const { instances } = configOf(3_100, ports, (index) => (index % 20 === 0 ? 'silent' : 'healthy'));
  const ids = instances.flatMap(({ nodes }) => nodes.map(({ id }) => id));
  expect([ids.length, new Set(ids).size]).toEqual([3_100, 3_100]);
  expect(new Set(instances.map(({ id }) => id)).size).toBe(instances.length);
  expect(ids.filter((id) => id.endsWith(':2'))).toHaveLength(155);
});
