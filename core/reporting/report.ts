import type { NodeReport, ReportInput, RunReport } from '../domain/report.ts';
import { alertsOf } from './alerts/alerts.ts';
import { metricsOf } from './metrics.ts';

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
