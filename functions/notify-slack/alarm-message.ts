import type { AlertFact } from '../../core/domain/alert.ts';
import { type Alarm, placesOf, severityOf, type Trigger } from './alarm.ts';
import {
  buttons,
  header,
  httpsLink,
  type Links,
  labelled,
  notificationText,
  origin,
  paragraph,
  table,
} from './blocks.ts';
import { LIMITS, type SlackMessage } from './limits.ts';
import { timeText } from './time-text.ts';

const REASON_CHARS = 1_500;
const DESCRIPTION_CHARS = 1_000;

const COMPARISONS: Readonly<Record<string, string>> = {
  GreaterThanThreshold: '>',
  GreaterThanOrEqualToThreshold: '≥',
  LessThanThreshold: '<',
  LessThanOrEqualToThreshold: '≤',
};

/** A CloudWatch alarm's change of state: what it watches, why it changed, and where to read on. */
export function alarmMessage(alarm: Alarm, links: Links): SlackMessage {
  const title = titleOf(alarm);
  const description = alarm.AlarmDescription ?? '';
  return {
    text: notificationText(title, LIMITS.textBesideBlocks),
    blocks: [
      header(title),
      paragraph(alarm.NewStateReason ?? '', REASON_CHARS),
      ...table(factsOf(alarm)),
      ...(description === '' ? [] : [labelled('Alarm:', description, DESCRIPTION_CHARS)]),
      ...buttons(linksFor(description, links)),
      ...origin([alarm.Region ?? undefined, timeText(alarm.StateChangeTime ?? ''), alarm.AlarmArn ?? undefined]),
    ],
  };
}

/** The same as text alone, for when Slack does not take the blocks. */
export function alarmAsText(alarm: Alarm): string {
  const facts = factsOf(alarm).map(({ label, value }) => `${label}: ${value}`);
  const parts = [titleOf(alarm), alarm.NewStateReason, facts.join('\n'), alarm.AlarmDescription];
  return parts.filter(Boolean).join('\n\n');
}

function titleOf(alarm: Alarm): string {
  switch (alarm.NewStateValue) {
    case 'OK':
      return `🟢 OK: ${alarm.AlarmName}`;
    case 'INSUFFICIENT_DATA':
      return `⚪ No data: ${alarm.AlarmName}`;
    case 'ALARM':
      // Not one of ours, or of no severity: taken as serious, since somebody has set it up.
      return `${severityOf(alarm) === 'warning' ? '🟠' : '🔴'} ALARM: ${alarm.AlarmName}`;
  }
}

function factsOf(alarm: Alarm): readonly AlertFact[] {
  const { instances, nodes } = placesOf(alarm);
  const { Trigger: watched, OldStateValue, NewStateValue, AlarmRule, TriggeringChildren } = alarm;
  const facts: readonly (AlertFact | undefined)[] = [
    fact('Instance', instances.join(', ')),
    fact('Node', nodes.join(', ')),
    fact('State', OldStateValue ? `${OldStateValue} → ${NewStateValue}` : NewStateValue),
    fact('Severity', severityOf(alarm) ?? ''),
    fact('Metric', watched ? metricText(watched) : ''),
    fact('Threshold', watched ? thresholdText(watched) : ''),
    fact('Because of', (TriggeringChildren ?? []).map(({ Arn }) => Arn.split(':alarm:').at(-1)).join(', ')),
    fact('Rule', AlarmRule ?? ''),
  ];
  return facts.filter((one) => one !== undefined);
}

function fact(label: string, value: string): AlertFact | undefined {
  return value === '' ? undefined : { label, value };
}

/** The metric's name; with metric math, what the alarm compares: the expression that returns data. */
function metricText({ MetricName, Namespace, Metrics }: Trigger): string {
  if (MetricName) return Namespace ? `${Namespace} ${MetricName}` : MetricName;
  const compared = Metrics?.find(({ ReturnData }) => ReturnData !== false);
  const stat = compared?.MetricStat?.Metric.MetricName;
  return compared?.Label || compared?.Expression || stat || '';
}

/** `> 1.5 in 6 of 6 periods of 300 s`. */
function thresholdText({
  ComparisonOperator,
  Threshold,
  EvaluationPeriods,
  DatapointsToAlarm,
  Period,
  Metrics,
}: Trigger): string {
  if (typeof Threshold !== 'number') return '';
  const operator = ComparisonOperator ?? '';
  const compared = `${COMPARISONS[operator] ?? operator} ${Threshold}`.trim();
  if (typeof EvaluationPeriods !== 'number') return compared;
  const period = Period ?? Metrics?.find(({ MetricStat }) => MetricStat?.Period)?.MetricStat?.Period;
  const of = typeof period === 'number' ? ` of ${period} s` : '';
  return `${compared} in ${DatapointsToAlarm ?? EvaluationPeriods} of ${EvaluationPeriods} periods${of}`;
}

/** The alarm's description may name its own runbook: `Runbook: https://…`, or else its first address. */
function linksFor(description: string, links: Links): Links {
  const address = '(https://[^\\s<>"\'|()]+)';
  const found =
    new RegExp(`runbook:?\\s*${address}`, 'i').exec(description)?.[1] ?? new RegExp(address).exec(description)?.[1];
  // Up to its last character that ends no sentence; `/[.,]+$/` would start anew at each of 100,000 full stops, for 9 s.
  const runbook = httpsLink(/^.*[^.,;:!?]/.exec(found ?? '')?.[0]);
  return runbook === undefined ? links : { ...links, runbook };
}
