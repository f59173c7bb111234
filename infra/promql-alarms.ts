import type { Config } from '../core/config/schema.ts';
import { checksOf, TROUBLE_NAMES, TROUBLES, type TroubleName } from '../core/config/trouble.ts';
import { SECOND } from '../core/config/units.ts';
import { DIMENSION, OTLP_PREFIX, TROUBLE_DIMENSION } from '../core/domain/metric.ts';
import { TROUBLE_METRIC } from '../core/domain/node-metrics.ts';
import { printAlarmDescription } from '../core/format/alarm-description.ts';
import { ALL_AT_THE_LIMIT, TROUBLE_NEXT, TROUBLE_TITLES } from '../core/format/trouble.ts';
import { byLogicalId, type PromqlAlarm, type Resources } from './cloudformation.ts';
import { alarmName } from './names.ts';
import { ANCHORS, runbookPlace } from './runbook.ts';
import { topicsOfAlarm } from './topic.ts';

/** What the alarms are called, and where the runbook speaks of them: as the classic ones. */
const NAMED: Readonly<Record<TroubleName, { readonly what: string; readonly anchor: string }>> = {
  'fragmentation-warning': { what: 'fragmentation', anchor: ANCHORS.fragmentationWarning },
  'fragmentation-critical': { what: 'fragmentation', anchor: ANCHORS.fragmentationCritical },
  'near-limit': { what: 'rss', anchor: ANCHORS.rssCritical },
  unreachable: { what: 'unreachable', anchor: ANCHORS.unreachable },
};

/** cfn-lint 1.51 knows `EvaluationCriteria`, and asks for `MetricName` or `Metrics` all the same, which such an alarm has not. */
const LINTED = { 'cfn-lint': { config: { ignore_checks: ['E3014'] } } };

/** How often CloudWatch asks, in seconds. */
const EVERY = 60;

/**
 * With metrics that are sent by OTLP: an alarm for each trouble, and for each number of checks that instances ask for (their `for`). Each node is a
 * contributor with a state of its own. The thresholds are not in the query: the job judges by those of the node's instance.
 */
export function promqlAlarms(config: Config): Resources {
  const alarms = TROUBLE_NAMES.flatMap((name) => {
    const checks = [...new Set(config.instances.map((instance) => checksOf(name, instance, config.schedule)))];
    return checks
      .sort((a, b) => a - b)
      .map((count): [string, PromqlAlarm] => [
        `NodesAlarm${logicalPart(name)}${count}`,
        promqlAlarm(config, name, { count, isOnly: checks.length === 1 }),
      ]);
  });
  return byLogicalId(alarms);
}

function promqlAlarm(
  config: Config,
  name: TroubleName,
  { count, isOnly }: { readonly count: number; readonly isOnly: boolean },
): PromqlAlarm {
  const { severity } = TROUBLES[name];
  const { what, anchor } = NAMED[name];
  const tick = config.schedule.every / SECOND;
  const topics = topicsOfAlarm(config, severity);
  const then = name === 'near-limit' ? `${ALL_AT_THE_LIMIT} ` : '';
  const means = `${TROUBLE_TITLES[name].many}, each in ${count} ${count === 1 ? 'check' : 'checks in a row'}. ${then}The contributors of the alarm name the nodes.`;
  return {
    Type: 'AWS::CloudWatch::Alarm',
    Metadata: LINTED,
    Properties: {
      AlarmName: alarmName(config.stage, 'nodes', `${what}${isOnly ? '' : `-${count}-checks`}-${severity}`),
      AlarmDescription: printAlarmDescription({
        ...{ means, next: TROUBLE_NEXT[name], severity },
        runbook: runbookPlace(config, anchor),
      }),
      EvaluationCriteria: {
        PromQLCriteria: {
          Query: query(config, name, count),
          // The first check begins it, the last one ends it.
          PendingPeriod: (count - 1) * tick,
          RecoveryPeriod: tick,
        },
      },
      EvaluationInterval: EVERY,
      AlarmActions: topics,
      OKActions: topics,
    },
  };
}

/** By itself, a query sees the last five minutes: less than the time between two ticks that come a little late. */
function query({ stage, schedule }: Config, name: TroubleName, count: number): string {
  const labels = [
    `${DIMENSION.stage}="${stage}"`,
    `${TROUBLE_DIMENSION.trouble}="${name}"`,
    `${TROUBLE_DIMENSION.checks}="${count}"`,
  ];
  const seconds = (1.5 * schedule.every) / SECOND;
  return `last_over_time(${OTLP_PREFIX}${TROUBLE_METRIC.name}{${labels.join(',')}}[${seconds}s]) > 0`;
}

function logicalPart(name: TroubleName): string {
  return name.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
}
