import type { Config, InstanceConfig } from '../core/config/schema.ts';
import { checksFor } from '../core/config/trouble.ts';
import type { Milliseconds } from '../core/config/units.ts';
import { FLEET_METRICS, JOB_METRICS } from '../core/domain/job-metrics.ts';
import type { MetricDefinition } from '../core/domain/metric.ts';
import { ALL_AT_THE_LIMIT } from '../core/format/trouble.ts';
import { type AlarmSpec, alarm } from './alarm.ts';
import { byLogicalId, type Resources } from './cloudformation.ts';
import { countOf } from './counts.ts';
import { ANCHORS } from './runbook.ts';
import { unreachable } from './unreachable.ts';
import { minutesText } from './words.ts';

const NEXT = 'Alerts of the job name the nodes, and the dashboard shows them.';

/**
 * Four alarms over what the job counts, in place of four for each node. The job judges every node by its own instance's
 * thresholds and floor, so none is averaged away. These alarms name no node: they are the net below the job's own alerts, which do
 * (core/reporting/trouble.ts).
 */
export function fleetAlarms(config: Config): Resources {
  const { instances } = config;
  const limited = instances.filter(({ memoryLimit }) => memoryLimit !== undefined);
  const { fragmentedWarning, fragmentedCritical, nearLimit } = FLEET_METRICS;
  const warningFor = shortest(instances, ({ thresholds }) => thresholds.fragmentationWarning.for);
  const criticalFor = shortest(instances, ({ thresholds }) => thresholds.fragmentationCritical.for);
  // An instance without a limit of its own has no say in how long: it is near the memory of its machine at most.
  const rssFor = shortest(limited.length > 0 ? limited : instances, ({ thresholds }) => thresholds.rssCritical.for);
  const specs: Readonly<Record<string, AlarmSpec>> = {
    FragmentationWarning: {
      ...counted(config, fragmentedWarning),
      ...lasting(config, warningFor, 'Nodes have been above the warning ratio of their instance'),
      what: 'fragmentation',
      severity: 'warning',
      anchor: ANCHORS.fragmentationWarning,
    },
    FragmentationCritical: {
      ...counted(config, fragmentedCritical),
      ...lasting(config, criticalFor, 'Nodes have been above the critical ratio of their instance'),
      what: 'fragmentation',
      severity: 'critical',
      anchor: ANCHORS.fragmentationCritical,
    },
    RssCritical: {
      ...counted(config, nearLimit),
      ...lasting(config, rssFor, 'Nodes have been near their memory limit', ` ${ALL_AT_THE_LIMIT}`),
      what: 'rss',
      severity: 'critical',
      anchor: ANCHORS.rssCritical,
    },
    Unreachable: { ...counted(config, JOB_METRICS.nodesUnreachable), ...silence(config) },
  };
  return byLogicalId(Object.entries(specs).map(([id, spec]) => [`FleetAlarm${id}`, alarm(config, spec)]));
}

/** With the longest, or a mean, one patient instance would delay the alarm of all others. */
function shortest(instances: readonly InstanceConfig[], of: (instance: InstanceConfig) => Milliseconds): Milliseconds {
  return Math.min(...instances.map(of));
}

function counted(config: Config, metric: MetricDefinition) {
  return {
    subject: 'fleet',
    source: countOf(config, metric),
    comparison: 'GreaterThanThreshold',
    threshold: 0,
    missing: 'ignore',
  } as const;
}

function lasting(config: Config, duration: Milliseconds, what: string, then = '') {
  return {
    means: `${what} for ${minutesText(duration)}.${then}`,
    next: NEXT,
    periods: checksFor(duration, config.schedule),
  };
}

function silence(config: Config) {
  const { next, ...shared } = unreachable(config, 'Nodes have');
  return { ...shared, next: `${NEXT} ${next}` };
}
