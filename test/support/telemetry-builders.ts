import { ALERT_SCHEMA, type Alert } from '../../core/domain/alert.ts';
import type { Metric } from '../../core/domain/metric.ts';

/** A metric that CloudWatch takes, now. */
export function aMetric(over: Partial<Metric> = {}): Metric {
  return {
    name: 'UsedMemory',
    unit: 'Bytes',
    value: 471_859_200,
    dimensions: { Stage: 'prod', Instance: 'sessions', Node: 'primary' },
    at: Date.now(),
    ...over,
  };
}

/** An alert such as a finished purge sends. */
export function anAlert(over: Partial<Alert> = {}): Alert {
  return {
    schema: ALERT_SCHEMA,
    id: 'a7c2f0d4-purged',
    event: 'purged',
    severity: 'info',
    at: '2026-11-23T02:14:05.120Z',
    stage: 'prod',
    instance: 'sessions',
    node: '10.0.3.17:6379',
    title: 'sessions: 402 MB returned',
    why: 'The allocator kept 431 MB of free pages, and a second look 20 s later still found them: they would not have gone by themselves.',
    facts: [
      { label: 'RSS before', value: '1.28 GB', figure: 'rssBefore' },
      { label: 'RSS after', value: '878 MB', figure: 'rssAfter' },
      { label: 'Predicted', value: '410 MB', figure: 'predictedBytes' },
      { label: 'Clients waited', value: '96 ms, 250 ms were allowed' },
    ],
    next: 'Nothing to do. The next window opens on Tuesday at 02:00 Europe/Berlin.',
    figures: { rssBefore: 1_280_000_000, rssAfter: 878_000_000, predictedBytes: 410_000_000, stallMs: 96 },
    ...over,
  };
}
