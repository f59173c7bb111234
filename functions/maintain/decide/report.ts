import type { InstanceConfig } from '../../shared/config/schema.ts';
import type { Alert } from '../../shared/contracts/alert.ts';
import type { Metric } from '../../shared/contracts/metrics.ts';
import { alertsOf } from './alerts.ts';
import type { Outcome } from './outcome.ts';
import { metricsOf } from './report-metrics.ts';

export interface ReportInput {
  readonly stage: string;
  /** Epoch milliseconds: the first look, and now. */
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly outcomes: readonly Outcome[];
  readonly instances: readonly InstanceConfig[];
  /** The state could not be read: nothing was planned in the whole tick. */
  readonly problem?: { readonly why: string };
}

/** What a tick tells: states as metrics (the alarms judge them), events as alerts. */
export interface RunReport {
  readonly metrics: readonly Metric[];
  readonly alerts: readonly Alert[];
}

/** Everything that came of one node in one tick, in order. */
export interface NodeReport {
  readonly stage: string;
  readonly instance: string;
  readonly node: string;
  readonly outcomes: readonly [Outcome, ...Outcome[]];
  /** Absent for a lease on a node that the config no longer names. */
  readonly config?: InstanceConfig;
}

export function report(input: ReportInput): RunReport {
  const nodes = nodeReports(input);
  return { metrics: metricsOf(input, nodes), alerts: alertsOf(input, nodes) };
}

function nodeReports({ stage, outcomes, instances }: ReportInput): readonly NodeReport[] {
  const grouped = Map.groupBy(outcomes, ({ instance, node }) => `${instance} ${node}`);
  return [...grouped.values()].flatMap(([first, ...rest]) => {
    if (!first) return [];
    const { instance, node } = first;
    const config = instances.find(({ id }) => id === instance);
    return [{ stage, instance, node, outcomes: [first, ...rest] as const, ...(config && { config }) }];
  });
}
