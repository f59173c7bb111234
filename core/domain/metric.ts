/**
 * What a metric is. All that Offpeak publishes are in `node-metrics.ts` and `job-metrics.ts`: the one place where a name and a unit are
 * written. The job, the alarms, the dashboard and the README's table read them from there.
 *
 * Metrics cost the most ($0.30 each a month, for every combination of dimensions, by the hour): `core` is what the alarms need,
 * `detailed` is what an investigation needs, `fork` and `action` exist only in hours with a fork or an action. Dimensions stay
 * bounded: never a version, a run id or a reason.
 */
export const NAMESPACE = 'Offpeak';
/** Before the name of a metric that is sent by OTLP, which has no namespaces: `offpeak_UsedMemory`. */
export const OTLP_PREFIX = 'offpeak_';

export const DIMENSION = { stage: 'Stage', instance: 'Instance', node: 'Node' } as const;
/** Of `TROUBLE_METRIC` only: which trouble, and in how many checks in a row it counts. */
export const TROUBLE_DIMENSION = { trouble: 'Trouble', checks: 'Checks' } as const;

/** The subset of CloudWatch's StandardUnit that Offpeak uses. */
export type MetricUnit = 'Bytes' | 'Count' | 'Count/Second' | 'Milliseconds' | 'None' | 'Percent';

/**
 * `core` and `detailed` follow an instance's `metrics` setting; `action` and `job` are always published, `fork` while a fork runs, `fleet`
 * where there are too many nodes for alarms of their own, `queue` where several functions share them (see config/fleet.ts).
 */
export type MetricSet = 'core' | 'detailed' | 'fork' | 'action' | 'job' | 'discovery' | 'queue' | 'fleet';

export interface MetricDefinition {
  readonly name: string;
  readonly unit: MetricUnit;
  readonly set: MetricSet;
  /** What one datum says, for the README's table and the dashboard. */
  readonly meaning: string;
}

/** One value at one time, ready for a sink. `value` is finite; sinks drop and report what is not. */
export interface Metric {
  readonly name: string;
  readonly unit: MetricUnit;
  readonly value: number;
  readonly dimensions: Readonly<Record<string, string>>;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** What a tick has read of one metric; without a value nothing is published: a zero would be false. */
export type Reading = readonly [definition: Pick<MetricDefinition, 'name' | 'unit'>, value: number | undefined];
