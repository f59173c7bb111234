import { checksOf } from '../config/trouble.ts';
import { DIMENSION, type Metric, type Reading, TROUBLE_DIMENSION } from '../domain/metric.ts';
import { NODE_METRICS, TROUBLE_METRIC } from '../domain/node-metrics.ts';
import type { Outcome } from '../domain/outcome.ts';
import { configOf, type ReportInput } from '../domain/report.ts';
import { countReadings, fleetReadings, stageReadings } from './job-readings.ts';
import { actionReadings, stateReadings } from './node-readings.ts';
import { seenNow, troubleFound } from './trouble.ts';

/** The metrics of a tick: each node once, then the job. What was not observed is not published: a zero would be false. */
export function metricsOf(input: ReportInput): readonly Metric[] {
  const nodes = input.outcomes.flatMap((outcome) => [
    ...nodeMetrics(input, outcome),
    ...troubleMetrics(input, outcome),
  ]);
  const readings = [
    ...(input.part?.kind === 'batch' ? [] : stageReadings(input)),
    ...(input.part?.kind === 'dispatch'
      ? []
      : [...countReadings(input), ...(input.isFleet ? fleetReadings(input) : [])]),
  ];
  // All counts of one tick fall into one period of CloudWatch, however late a worker comes to its batch.
  const at = input.part?.kind === 'batch' ? input.part.at : input.finishedAt;
  return [...nodes, ...datums(readings, { [DIMENSION.stage]: input.stage }, at)];
}

/** For the alarms that watch each node by PromQL. */
function troubleMetrics(input: ReportInput, outcome: Outcome): readonly Metric[] {
  const { stage, startedAt, watched } = input;
  const config = configOf(outcome, input);
  if (!watched || !config) return [];
  const { instance, node } = outcome;
  const found = [...troubleFound(outcome, config)].filter(([, isThere]) => isThere);
  return found.flatMap(([name]) => {
    const checks = `${checksOf(name, config, watched)}`;
    const dimensions = {
      ...{ [DIMENSION.stage]: stage, [DIMENSION.instance]: instance, [DIMENSION.node]: node },
      ...{ [TROUBLE_DIMENSION.trouble]: name, [TROUBLE_DIMENSION.checks]: checks },
    };
    return datums([[TROUBLE_METRIC, 1]], dimensions, seenNow(outcome)?.observation.at ?? startedAt);
  });
}

function nodeMetrics(input: ReportInput, outcome: Outcome): readonly Metric[] {
  const { instance, node } = outcome;
  const { stage, startedAt } = input;
  const dimensions = { [DIMENSION.stage]: stage, [DIMENSION.instance]: instance, [DIMENSION.node]: node };
  if (outcome.kind === 'unreachable') return datums([[NODE_METRICS.reachable, 0]], dimensions, startedAt);
  const seen = seenNow(outcome);
  if (!seen) return [];
  const readings = [
    ...stateReadings(outcome, seen, configOf(outcome, input), input.counters?.get(node)),
    ...actionReadings(outcome),
  ];
  return datums(readings, dimensions, seen.observation.at);
}

function datums(
  readings: readonly Reading[],
  dimensions: Readonly<Record<string, string>>,
  at: number,
): readonly Metric[] {
  return readings.flatMap(([{ name, unit }, value]) =>
    value === undefined ? [] : [{ name, unit, value, dimensions, at }],
  );
}
