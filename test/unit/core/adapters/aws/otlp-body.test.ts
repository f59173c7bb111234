import { expect, test } from 'vitest';
import { otlpBatches, otlpBody } from '../../../../../core/adapters/aws/otlp-body.ts';
import { aMetric } from '../../../../support/telemetry-builders.ts';

const dimensions = { Stage: 'prod', Node: '10.0.3.17:6379' };

test('metrics of one name are points of one gauge, as OTLP 1.x writes them in JSON', () => {
  const at = Date.parse('2026-11-26T01:02:03.004Z');
  const metrics = [
    aMetric({ name: 'UsedMemory', value: 1.5, dimensions, at }),
    aMetric({ name: 'Reachable', unit: 'Count', value: 1, dimensions, at }),
    aMetric({ name: 'UsedMemory', value: 2, dimensions: { Stage: 'prod' }, at: at + 0.4 }),
  ];
  const attributes = [
    { key: 'Stage', value: { stringValue: 'prod' } },
    { key: 'Node', value: { stringValue: '10.0.3.17:6379' } },
  ];
  const timeUnixNano = '1795654923004000000';
  expect(JSON.parse(otlpBody(metrics))).toEqual({
    resourceMetrics: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'offpeak' } }] },
        scopeMetrics: [
          {
            metrics: [
              {
                name: 'offpeak_UsedMemory',
                unit: 'By',
                gauge: {
                  dataPoints: [
                    { attributes, timeUnixNano, asDouble: 1.5 },
                    { attributes: attributes.slice(0, 1), timeUnixNano, asDouble: 2 },
                  ],
                },
              },
              {
                name: 'offpeak_Reachable',
                unit: '1',
                gauge: { dataPoints: [{ attributes, timeUnixNano, asDouble: 1 }] },
              },
            ],
          },
        ],
      },
    ],
  });
});

test('a request has 1,000 points at most, and less than a megabyte of JSON', () => {
  const long = 'x'.repeat(1_000);
  const metrics = Array.from({ length: 2_500 }, (_, n) =>
    aMetric({ value: n, dimensions: { Node: `${n}`, Long: long } }),
  );
  const batches = otlpBatches(metrics);
  expect(batches.flat()).toEqual(metrics);
  expect(Math.max(...batches.map(({ length }) => length))).toBeLessThanOrEqual(1_000);
  expect(Math.max(...batches.map((batch) => Buffer.byteLength(otlpBody(batch))))).toBeLessThan(1_000_000);
});
