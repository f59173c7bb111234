import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createCloudWatchClient } from '../../../core/adapters/aws/clients.ts';
import { createOtlpSink } from '../../../core/adapters/aws/otlp.ts';
import { createSinks } from '../../../core/adapters/aws/sinks.ts';
import { JOB_METRICS } from '../../../core/domain/job-metrics.ts';
import type { Metric } from '../../../core/domain/metric.ts';
import { NODE_METRICS } from '../../../core/domain/node-metrics.ts';
import { type AwsProxy, awsEnv, startAwsProxy } from '../../support/aws-proxy.ts';
import { datumsOf, pointsOf } from '../../support/aws-wire.ts';
import { configOf } from '../../support/job.ts';
import { aMetric } from '../../support/telemetry-builders.ts';

/** A port at which nothing listens: moto does not know this endpoint, and the proxy answers in its place. */
const NOWHERE = 'http://127.0.0.1:9';

describe('publishing to CloudWatch by OTLP', () => {
  let proxy: AwsProxy;
  let client: CloudWatchClient;

  beforeAll(async () => {
    proxy = await startAwsProxy(NOWHERE);
    for (const [key, value] of Object.entries(awsEnv(proxy.url))) vi.stubEnv(key, value);
    client = createCloudWatchClient();
  });
  afterAll(async () => {
    client?.destroy();
    vi.unstubAllEnvs();
    await proxy?.stop();
  });
  afterEach(() => {
    proxy.clear();
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'testing');
  });

  const series = (count: number, name = 'UsedMemory'): Metric[] =>
    Array.from({ length: count }, (_, n) => aMetric({ name, value: n, dimensions: { Stage: 'test', Node: `n${n}` } }));
  const outcomes = () => proxy.requests.map((call) => call.outcome);
  const publish = (metrics: readonly Metric[]) => createOtlpSink(client).publish(metrics);
  const counted = (rejected: readonly { readonly what: string }[]) =>
    rejected.map(({ what }) => Number(/^(\d+)/.exec(what)?.[1] ?? 1)).reduce((sum, count) => sum + count, 0);

  test('every metric arrives with its name, unit, labels, time and value: compressed, and signed for `monitoring`', async () => {
    const at = Date.now() - 60_000;
    const dimensions = { Stage: 'test', Instance: 'sessions', Node: '10.0.3.17:6379' };
    const metrics = Object.values(NODE_METRICS).map(({ name, unit }, n) =>
      aMetric({ name, unit, value: n * 1.5 - 2, dimensions, at }),
    );
    expect(await publish(metrics)).toEqual({ sent: metrics.length, rejected: [] });
    expect(proxy.requests).toMatchObject([
      { service: 'monitoring', protocol: 'otlp', gzip: true, outcome: 'forwarded' },
    ]);
    const UCUM = { Bytes: 'By', Count: '1', 'Count/Second': '1/s', Milliseconds: 'ms', None: '1', Percent: '%' };
    expect(pointsOf(proxy.requests)).toEqual(
      metrics.map(({ name, unit, value }) => ({
        ...{ name: `offpeak_${name}`, unit: UCUM[unit], labels: dimensions },
        ...{ timeUnixNano: `${at}000000`, asDouble: value },
      })),
    );
  });

  test('2,500 points go in three requests, each once; nothing to say is no request', async () => {
    expect(await publish(series(2_500))).toEqual({ sent: 2_500, rejected: [] });
    expect(outcomes()).toEqual(['forwarded', 'forwarded', 'forwarded']);
    expect(new Set(pointsOf(proxy.requests).map(({ asDouble }) => asDouble)).size).toBe(2_500);
    proxy.clear();
    expect(await publish([])).toEqual({ sent: 0, rejected: [] });
    expect(proxy.requests).toEqual([]);
  });

  test('long names: no request is larger than the service takes', async () => {
    const node = `${'a'.repeat(250)}.example:6379`;
    const metrics = series(1_000).map((one) => ({
      ...one,
      dimensions: { ...one.dimensions, Instance: node, Other: node, More: node },
    }));
    expect((await publish(metrics)).sent).toBe(1_000);
    expect(proxy.requests.length).toBeGreaterThan(1);
    expect(Math.max(...proxy.requests.map(({ bytes }) => bytes))).toBeLessThan(1_000_000);
  });

  test('what JSON cannot say and what has more than 150 labels is named, and the rest arrives', async () => {
    const labels = Object.fromEntries(Array.from({ length: 151 }, (_, n) => [`l${n}`, 'x']));
    const bad = [aMetric({ name: 'Odd', value: Number.NaN }), aMetric({ name: 'Wide', dimensions: labels })];
    const { sent, rejected } = await publish([...series(2), ...bad]);
    expect(sent).toBe(2);
    expect(rejected.map(({ what, why }) => [what.slice(0, 4), why])).toEqual([
      ['Odd{', 'value NaN is not a finite number'],
      ['Wide', 'it has more than 150 labels'],
    ]);
  });

  test('a partial success is accounted for, with the service’s reason', async () => {
    proxy.fault({ operation: 'OtlpMetrics', kind: 'partial' });
    const { sent, rejected } = await publish(series(1_000));
    expect([sent, counted(rejected)]).toEqual([900, 100]);
    expect(rejected).toEqual([
      { what: '100 of 1000 metrics from UsedMemory{Stage=test,Node=n0} on', why: 'too many series' },
    ]);
  });

  test('a point that only CloudWatch knows to be bad is found by halving, and all others arrive once', async () => {
    const when = (call: Parameters<typeof pointsOf>[0][number]) =>
      pointsOf([call]).some(({ asDouble }) => asDouble === 617);
    proxy.fault({ operation: 'OtlpMetrics', kind: 'invalid', when });
    const { sent, rejected } = await publish(series(1_000));
    expect([sent, rejected]).toEqual([
      999,
      [{ what: 'UsedMemory{Stage=test,Node=n617}', why: 'OtlpFailure: The proxy was told to refuse this.' }],
    ]);
    expect(proxy.requests.length).toBeLessThanOrEqual(21);
  });

  test.each(['throttle', 'error', 'reset', 'hang'] as const)('%s: tried again, and sent', async (kind) => {
    proxy.fault({ operation: 'OtlpMetrics', kind, times: 2 });
    expect(await publish(series(3))).toEqual({ sent: 3, rejected: [] });
    expect(outcomes()).toEqual([kind, kind, 'forwarded']);
  });

  test.each([
    ['deny', 1, /^OtlpFailure: User is not authorized/],
    ['throttle', 3, /^OtlpFailure: Rate exceeded \(tried 3 times\)$/],
    ['reset', 3, /ECONNRESET/],
  ] as const)('%s for ever: %i tries, and all of it is accounted for', async (kind, tries, why) => {
    proxy.fault({ operation: 'OtlpMetrics', kind });
    const { sent, rejected } = await publish(series(1_000));
    expect([sent, counted(rejected), proxy.requests.length]).toEqual([0, 1_000, tries]);
    expect(rejected[0]?.why).toMatch(why);
  });

  test('a signature that does not match is refused, and neither key nor secret is in the report', async () => {
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'hunter2');
    const { sent, rejected } = await publish(series(2));
    expect([sent, rejected]).toEqual([
      0,
      [{ what: '2 metrics from UsedMemory{Stage=test,Node=n0} on', why: 'OtlpFailure: the signature does not match' }],
    ]);
    expect(JSON.stringify(rejected)).not.toContain('hunter2');
  });

  test('without the config’s word all metrics are classic; with `send: otlp` those of nodes go by OTLP, those of the job do not', async () => {
    const [node, job] = [aMetric(), aMetric({ ...JOB_METRICS.heartbeat, dimensions: { Stage: 'prod' } })];
    const env = { ALERT_TOPIC_ARN: 'arn:aws:sns:eu-west-1:123456789012:t' };
    const yaml = (more: string) => `${more}\ninstances: [{ id: a, url: "redis://a" }]`;
    await createSinks(env, configOf(yaml(''))).metrics.publish([node, job]);
    // Nothing is behind the proxy, so that each is tried three times.
    const classic = () => [...new Set(datumsOf(proxy.requests).map(({ MetricName }) => MetricName))];
    expect([classic(), pointsOf(proxy.requests)]).toEqual([['UsedMemory', 'Heartbeat'], []]);
    proxy.clear();
    await createSinks(env, configOf(yaml('metrics: { send: otlp }'))).metrics.publish([node, job]);
    expect(pointsOf(proxy.requests).map(({ name }) => name)).toEqual(['offpeak_UsedMemory']);
    expect(classic()).toEqual(['Heartbeat']);
  });
});
