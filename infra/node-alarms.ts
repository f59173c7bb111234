import type { Config } from '../core/config/schema.ts';
import { checksOf } from '../core/config/trouble.ts';
import type { Bytes } from '../core/config/units.ts';
import { DIMENSION, type MetricDefinition, NAMESPACE } from '../core/domain/metric.ts';
import { NODE_METRICS } from '../core/domain/node-metrics.ts';
import { AT_THE_LIMIT, TROUBLE_NEXT } from '../core/format/trouble.ts';
import { bytesText } from '../core/format/units.ts';
import { type AlarmSource, type AlarmSpec, alarm, type MetricSource } from './alarm.ts';
import { byLogicalId, type Resources } from './cloudformation.ts';
import { type NamedNode, namedNodes, nodeLogicalPart, nodeTitle } from './names.ts';
import { ANCHORS } from './runbook.ts';
import { unreachable } from './unreachable.ts';
import { minutesText } from './words.ts';

/** Each node has its own alarms: an average over a replication group would hide the node that is about to fail. */
export function nodeAlarms(config: Config): Resources {
  const alarms = namedNodes(config.instances).flatMap((node) => {
    const base = nodeLogicalPart(node);
    const limited = node.instance.memoryLimit === undefined ? [] : [['RssCritical', rss(config, node)] as const];
    return [
      [`${base}FragmentationWarning`, fragmentation(config, node, 'warning')] as const,
      [`${base}FragmentationCritical`, fragmentation(config, node, 'critical')] as const,
      ...limited.map(([what, spec]) => [`${base}${what}`, spec] as const),
      [`${base}Unreachable`, silence(config, node)] as const,
    ];
  });
  return byLogicalId(alarms.map(([id, spec]) => [`NodeAlarm${id}`, alarm(config, spec)]));
}

function fragmentation(config: Config, node: NamedNode, severity: 'warning' | 'critical'): AlarmSpec {
  const { fragmentationWarning, fragmentationCritical } = node.instance.thresholds;
  const { ratio, for: lasting, floor } = severity === 'warning' ? fragmentationWarning : fragmentationCritical;
  return {
    subject: nodeTitle(node),
    what: 'fragmentation',
    severity,
    means: `RSS of ${node.nodeId} has been more than ${ratio} times its used memory for ${minutesText(lasting)}, and at least ${bytesText(floor)} more.`,
    next: TROUBLE_NEXT[`fragmentation-${severity}`],
    anchor: severity === 'warning' ? ANCHORS.fragmentationWarning : ANCHORS.fragmentationCritical,
    source: flooredRatio(config, node, floor),
    comparison: 'GreaterThanThreshold',
    threshold: ratio,
    periods: checksOf(`fragmentation-${severity}`, node.instance, config.schedule),
    missing: 'ignore',
  };
}

/**
 * The ratio, or 0 below the byte floor: an empty server shows a ratio of 13. It uses two metrics, since CloudWatch charges an
 * alarm for each metric that it reads, and MemFragmentationRatio would be a third without more information.
 */
function flooredRatio(config: Config, node: NamedNode, floor: number): AlarmSource {
  return {
    expression: `IF(rss - used >= ${floor}, rss / used, 0)`,
    label: `mem_fragmentation_ratio of ${node.nodeId}, 0 below the floor`,
    metrics: {
      rss: metricOf(config, node, NODE_METRICS.usedMemoryRss, 'Average'),
      used: metricOf(config, node, NODE_METRICS.usedMemory, 'Average'),
    },
  };
}

function rss(config: Config, node: NamedNode): AlarmSpec {
  const { memoryLimit = 0, thresholds } = node.instance;
  const { percentOfLimit, for: lasting } = thresholds.rssCritical;
  return {
    subject: nodeTitle(node),
    what: 'rss',
    severity: 'critical',
    means: `${node.nodeId} has used ${percentOfLimit} % or more of its memory limit of ${bytesText(memoryLimit)} for ${minutesText(lasting)} (RSS, and the pages that a running save has copied). ${AT_THE_LIMIT}`,
    next: TROUBLE_NEXT['near-limit'],
    anchor: ANCHORS.rssCritical,
    source: shareOfLimit(config, node, memoryLimit),
    comparison: 'GreaterThanOrEqualToThreshold',
    threshold: percentOfLimit,
    periods: checksOf('near-limit', node.instance, config.schedule),
    missing: 'ignore',
  };
}

/**
 * Mails of CloudWatch print numbers as they are compared: of bytes, `5.842468864E9` and `5476083302`. Without a fork there is no datum of it,
 * which counts as 0. Where RSS is missing as well, IF makes no value: FILL alone would make it 0, and end the alarm.
 */
function shareOfLimit(config: Config, node: NamedNode, limit: Bytes): AlarmSource {
  return {
    expression: `IF(rss > 0, 100 * (rss + FILL(fork, 0)) / ${limit})`,
    label: `RSS of ${node.nodeId}, with a fork's pages, in percent of its limit of ${bytesText(limit)}`,
    metrics: {
      rss: metricOf(config, node, NODE_METRICS.usedMemoryRss, 'Maximum'),
      fork: metricOf(config, node, NODE_METRICS.forkMemory, 'Maximum'),
    },
  };
}

function silence(config: Config, node: NamedNode): AlarmSpec {
  return {
    ...unreachable(config, `${node.nodeId} has`),
    subject: nodeTitle(node),
    // The job may check several times within a period: one answer is enough.
    source: { metric: metricOf(config, node, NODE_METRICS.reachable, 'Maximum') },
    comparison: 'LessThanThreshold',
    threshold: 1,
  };
}

function metricOf(
  { stage }: Config,
  { instance, nodeId }: NamedNode,
  { name }: MetricDefinition,
  statistic: MetricSource['statistic'],
): MetricSource {
  const dimensions = { [DIMENSION.stage]: stage, [DIMENSION.instance]: instance.id, [DIMENSION.node]: nodeId };
  return { namespace: NAMESPACE, name, dimensions, statistic };
}
