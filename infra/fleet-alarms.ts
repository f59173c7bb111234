import type { Config, InstanceConfig } from '../functions/shared/config/schema.ts';
import { MINUTE, type Milliseconds } from '../functions/shared/config/units.ts';
import { DIMENSION, FLEET_METRICS, JOB_METRICS, NAMESPACE } from '../functions/shared/contracts/metrics.ts';
import { type AlarmSpec, alarm, periodsFor } from './alarm.ts';
import type { Resources } from './cloudformation.ts';
import { ANCHORS, type Anchor } from './runbook.ts';
import { minutesText } from './words.ts';

const UNREACHABLE_FOR = 10 * MINUTE;
const WHICH = 'The dashboard shows which.';

/**
 * Four alarms over what the job counts, in place of four for each node. The job judges every node by its own instance's
 * thresholds and floor, so none is averaged away; the message does not name the node, the dashboard does.
 */
export function fleetAlarms(config: Config): Resources {
  const longest = (of: (instance: InstanceConfig) => Milliseconds) => Math.max(...config.instances.map(of));
  const warningFor = longest(({ thresholds }) => thresholds.fragmentationWarning.for);
  const criticalFor = longest(({ thresholds }) => thresholds.fragmentationCritical.for);
  const rssFor = longest(({ thresholds }) => thresholds.rssCritical.for);
  const { fragmentedWarning, fragmentedCritical, nearLimit } = FLEET_METRICS;
  const specs = {
    FragmentationWarning: count(config, ['fragmentation', 'warning'], fragmentedWarning.name, warningFor, {
      says: 'Nodes have been above the warning ratio of their instance',
      anchor: ANCHORS.fragmentationWarning,
    }),
    FragmentationCritical: count(config, ['fragmentation', 'critical'], fragmentedCritical.name, criticalFor, {
      says: 'Nodes have been above the critical ratio of their instance',
      anchor: ANCHORS.fragmentationCritical,
    }),
    RssCritical: count(config, ['rss', 'critical'], nearLimit.name, rssFor, {
      says: 'Nodes have been near their memory limit, beyond which the kernel ends them,',
      anchor: ANCHORS.rssCritical,
    }),
    Unreachable: count(config, ['unreachable', 'critical'], JOB_METRICS.nodesUnreachable.name, UNREACHABLE_FOR, {
      says: 'Nodes have not answered Offpeak',
      anchor: ANCHORS.unreachable,
    }),
  };
  return Object.fromEntries(Object.entries(specs).map(([id, spec]) => [`FleetAlarm${id}`, alarm(config, spec)]));
}

function count(
  config: Config,
  [what, severity]: readonly [what: string, severity: AlarmSpec['severity']],
  name: string,
  lasting: Milliseconds,
  words: { readonly says: string; readonly anchor: Anchor },
): AlarmSpec {
  const dimensions = { [DIMENSION.stage]: config.stage };
  return {
    subject: 'fleet',
    what,
    severity,
    says: `${words.says} for ${minutesText(lasting)}. ${WHICH}`,
    anchor: words.anchor,
    // While a defrag is followed, more ticks come within a period, and those look at its node alone.
    source: { metric: { namespace: NAMESPACE, name, dimensions, statistic: 'Maximum' } },
    comparison: 'GreaterThanThreshold',
    threshold: 0,
    periods: periodsFor(lasting, config),
    missing: 'ignore',
  };
}
