import { type CloudWatchClient, GetMetricDataCommand, ListMetricsCommand } from '@aws-sdk/client-cloudwatch';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { createCloudWatchClient } from '../../../core/adapters/aws/clients.ts';
import { createMetricSink } from '../../../core/adapters/aws/cloudwatch.ts';
import { JOB_METRICS } from '../../../core/domain/job-metrics.ts';
import type { Metric } from '../../../core/domain/metric.ts';
import { NODE_METRICS } from '../../../core/domain/node-metrics.ts';
import type { AwsProxy } from '../../support/aws-proxy.ts';
import { type AwsStandIn, awsStandIn } from '../../support/aws-stand-in.ts';
import { datumsOf } from '../../support/aws-wire.ts';
import { describeWithMoto, type Moto } from '../../support/moto.ts';
import { aMetric } from '../../support/telemetry-builders.ts';

describeWithMoto('publishing to CloudWatch over HTTP', () => {
  let aws: AwsStandIn;
  let moto: Moto;
  let proxy: AwsProxy;
  let client: CloudWatchClient;

  beforeAll(async () => {
    aws = await awsStandIn();
    ({ moto, proxy } = aws);
    client = createCloudWatchClient();
  });
  afterAll(async () => {
    client?.destroy();
    await aws?.[Symbol.asyncDispose]();
  });
  afterEach(async () => {
    proxy.clear();
    await moto.reset();
  });

  /** `count` metrics that differ in their value and node. */
  const series = (count: number): Metric[] =>
    Array.from({ length: count }, (_, n) => aMetric({ value: n, dimensions: { Stage: 'test', Node: `n${n}` } }));
  const outcomes = () => proxy.requests.map((call) => call.outcome);
  const arrived = () => datumsOf(proxy.requests.filter((call) => call.outcome === 'forwarded')).map((d) => d.Value);

  test('every metric of a report arrives with its name, unit, dimensions, time and value', async () => {
    const at = Date.now() - 60_000;
    const dimensions = { Stage: 'test', Instance: 'sessions', Node: '10.0.3.17:6379' };
    const metrics = [
      ...Object.values(NODE_METRICS).map((m, n) =>
        aMetric({ name: m.name, unit: m.unit, value: n * 1.5 - 2, dimensions, at }),
      ),
      ...Object.values(JOB_METRICS).map((m, n) =>
        aMetric({ name: m.name, unit: m.unit, value: n, dimensions: { Stage: 'test' }, at }),
      ),
    ];
    expect(await createMetricSink(client).publish(metrics)).toEqual({ sent: metrics.length, rejected: [] });

    expect(datumsOf(proxy.requests)).toEqual(
      metrics.map((metric) => ({
        MetricName: metric.name,
        Unit: metric.unit,
        Value: metric.value,
        Timestamp: at / 1000,
        Dimensions: Object.entries(metric.dimensions).map(([Name, Value]) => ({ Name, Value })),
      })),
    );
    expect(await storedValues(client, metrics)).toEqual(metrics.map((metric) => metric.value));
  });

  test('2,500 datums go in three calls, compressed, each metric once', async () => {
    const report = await createMetricSink(client).publish(series(2_500));
    expect(report).toEqual({ sent: 2_500, rejected: [] });
    expect(outcomes()).toEqual(['forwarded', 'forwarded', 'forwarded']);
    expect(proxy.requests.map((call) => call.gzip)).toEqual([true, true, true]);
    expect(
      arrived()
        .map(Number)
        .sort((a, b) => a - b),
    ).toEqual(Array.from({ length: 2_500 }, (_, n) => n));
  });

  test('a small body is not compressed, and nothing to say is no call', async () => {
    await createMetricSink(client).publish([aMetric()]);
    expect(proxy.requests.map((call) => call.gzip)).toEqual([false]);
    expect(await createMetricSink(client).publish([])).toEqual({ sent: 0, rejected: [] });
    expect(proxy.requests).toHaveLength(1);
  });

  test('a NaN is named and the rest arrives', async () => {
    const [first, last] = [aMetric({ value: 1 }), aMetric({ value: 2 })];
    const report = await createMetricSink(client).publish([first, aMetric({ name: 'Bad', value: Number.NaN }), last]);
    expect(report.sent).toBe(2);
    expect(report.rejected).toEqual([
      { what: 'Bad{Stage=prod,Instance=sessions,Node=primary}', why: 'value NaN is not a finite number' },
    ]);
    expect(arrived()).toEqual([1, 2]);
  });

  test('a datum that only CloudWatch knows to be bad is found by halving, and all others arrive once', async () => {
    proxy.fault({
      operation: 'PutMetricData',
      kind: 'invalid',
      when: (call) => datumsOf([call]).some((d) => d.Value === 617),
    });
    const report = await createMetricSink(client).publish(series(1_000));
    expect(report.sent).toBe(999);
    expect(report.rejected).toEqual([
      {
        what: 'UsedMemory{Stage=test,Node=n617}',
        why: 'InvalidParameterValueException: The proxy was told to refuse this.',
      },
    ]);
    expect(
      arrived()
        .map(Number)
        .sort((a, b) => a - b),
    ).toEqual(Array.from({ length: 1_000 }, (_, n) => n).filter((n) => n !== 617));
    expect(proxy.requests.length).toBeLessThanOrEqual(21);
  });

  test('what is refused as a whole costs a bounded number of calls, and all of it is accounted for', async () => {
    const report = await createMetricSink(client, 'AWS/Offpeak').publish(series(1_000));
    expect(report.sent).toBe(0);
    const counts = report.rejected.map(({ what }) => Number(/^(\d+) metrics/.exec(what)?.[1] ?? 1));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(1_000);
    expect(proxy.requests.length).toBeLessThanOrEqual(129);
  });

  test('throttled twice, it arrives once', async () => {
    proxy.fault({ operation: 'PutMetricData', kind: 'throttle', times: 2 });
    expect(await createMetricSink(client).publish([aMetric({ value: 7 })])).toEqual({ sent: 1, rejected: [] });
    expect(outcomes()).toEqual(['throttle', 'throttle', 'forwarded']);
    expect(arrived()).toEqual([7]);
  });

  test.each([
    ['error', 3, /^InternalFailure: The service failed\. \(tried 3 times\)$/],
    ['throttle', 3, /^Throttling: Rate exceeded \(tried 3 times\)$/],
    ['reset', 3, /ECONNRESET.*\(tried 3 times\)$/],
    ['hang', 3, /^TimeoutError: .*3000 ms.*\(tried 3 times\)$/],
    ['deny', 1, /^AccessDenied: User is not authorized/],
  ] as const)('%s for ever ends after %d tries and is reported, not thrown', async (kind, tries, why) => {
    proxy.fault({ operation: 'PutMetricData', kind });
    const report = await createMetricSink(client).publish([aMetric(), aMetric()]);
    expect(report).toEqual({
      sent: 0,
      rejected: [
        {
          what: '2 metrics from UsedMemory{Stage=prod,Instance=sessions,Node=primary} on',
          why: expect.stringMatching(why),
        },
      ],
    });
    expect(proxy.requests).toHaveLength(tries);
  });

  test('an endpoint that never answers is asked four times at once, and no more, however much there is to tell: F5', async () => {
    proxy.fault({ operation: 'PutMetricData', kind: 'hang' });
    const report = await createMetricSink(client).publish(series(8_000));
    expect(report.sent).toBe(0);
    expect(report.rejected).toHaveLength(8);
    for (const { why } of report.rejected) expect(why).toMatch(/^TimeoutError: /);
    expect(proxy.requests).toHaveLength(4 * 3);
  });

  test('a request that fails does not keep the others from arriving', async () => {
    proxy.fault({ operation: 'PutMetricData', kind: 'error', when: (call) => datumsOf([call])[0]?.Value === 1_000 });
    const report = await createMetricSink(client).publish(series(2_500));
    expect(report.sent).toBe(1_500);
    expect(report.rejected).toEqual([
      {
        what: '1000 metrics from UsedMemory{Stage=test,Node=n1000} on',
        why: expect.stringMatching(/^InternalFailure/),
      },
    ]);
    expect(arrived()).toHaveLength(1_500);
  });

  test('an endpoint that is not there is reported', async () => {
    // The SDK reads the endpoint at the first call, not when the client is made.
    vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:9');
    const lost = createCloudWatchClient();
    const report = await createMetricSink(lost).publish([aMetric()]);
    lost.destroy();
    vi.stubEnv('AWS_ENDPOINT_URL', proxy.url);
    expect(report.sent).toBe(0);
    expect(report.rejected[0]?.why).toMatch(/ECONNREFUSED/);
  });

  test('the metrics are listed under the namespace of the project', async () => {
    await createMetricSink(client).publish([aMetric()]);
    const { Metrics } = await client.send(new ListMetricsCommand({ Namespace: 'Offpeak' }));
    expect(Metrics?.map((metric) => metric.MetricName)).toEqual(['UsedMemory']);
  });
});

/** What GetMetricData returns for each metric, in order. */
async function storedValues(client: CloudWatchClient, metrics: readonly Metric[]): Promise<(number | undefined)[]> {
  const { MetricDataResults = [] } = await client.send(
    new GetMetricDataCommand({
      StartTime: new Date(Date.now() - 600_000),
      EndTime: new Date(Date.now() + 60_000),
      MetricDataQueries: metrics.map((metric, n) => ({
        Id: `m${n}`,
        MetricStat: {
          Metric: {
            Namespace: 'Offpeak',
            MetricName: metric.name,
            Dimensions: Object.entries(metric.dimensions).map(([Name, Value]) => ({ Name, Value })),
          },
          Period: 60,
          Stat: 'Sum',
          Unit: metric.unit,
        },
      })),
    }),
  );
  return metrics.map((_, n) => MetricDataResults.find((result) => result.Id === `m${n}`)?.Values?.[0]);
}
