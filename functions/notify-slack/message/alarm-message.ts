import type { KnownBlock } from '@slack/types';
import type { AlertFact } from '../../../core/domain/alert.ts';
import { DIMENSION } from '../../../core/domain/metric.ts';
import { type AlarmDescription, parseAlarmDescription } from '../../../core/format/alarm-description.ts';
import { lookup } from '../../../core/format/lookup.ts';
import { utcText } from '../../../core/format/utc-text.ts';
import { type Alarm, comparedOf, placesOf, type Trigger } from './alarm.ts';
import {
  buttons,
  header,
  httpsLink,
  LIMITS,
  type Links,
  labelled,
  notificationText,
  origin,
  paragraph,
  table,
} from './blocks.ts';
import type { Draft } from './post.ts';
import { periodText, quantityText } from './quantity.ts';
import { reasonText } from './reason-text.ts';

const REASON_CHARS = 1_500;
const DESCRIPTION_CHARS = 1_000;

const COMPARISONS: Readonly<Record<string, string>> = {
  GreaterThanThreshold: '>',
  GreaterThanOrEqualToThreshold: '≥',
  LessThanThreshold: '<',
  LessThanOrEqualToThreshold: '≤',
};

/** Of alarms on anomalies. */
const SIDES: Readonly<Record<string, string>> = {
  GreaterThanUpperThreshold: 'above',
  LessThanLowerThreshold: 'below',
  LessThanLowerOrGreaterThanUpperThreshold: 'outside of',
};

/** What there is to say of an alarm, in parts: shown as blocks, and as text alone. */
interface Said {
  readonly title: string;
  readonly facts: readonly AlertFact[];
  /** Label and text, in order. An empty label is none. */
  readonly texts: readonly (readonly [label: string, text: string])[];
  /** The address of the runbook, or the name of a section; undefined for an alarm that Offpeak has not made. */
  readonly runbook: string | undefined;
}

/** A CloudWatch alarm's change of state: what it means, why the state changed, and what to do. */
export function alarmDraft(alarm: Alarm, links: Links): Draft {
  const said = saidOf(alarm);
  return {
    message: { text: notificationText(said.title, LIMITS.textBesideBlocks), blocks: blocksOf(said, alarm, links) },
    text: plainText(said, alarm),
  };
}

function saidOf(alarm: Alarm): Said {
  const described = parseAlarmDescription(alarm.AlarmDescription ?? '');
  const reason = reasonText(alarm.NewStateReason ?? '', alarm.Trigger ? comparedOf(alarm.Trigger).unit : undefined);
  return {
    title: titleOf(alarm, described),
    facts: factsOf(alarm, described),
    texts: textsOf(alarm, described, reason).filter(([, text]) => text !== ''),
    runbook: described?.runbook,
  };
}

function blocksOf({ title, texts, facts, runbook }: Said, alarm: Alarm, links: Links): readonly KnownBlock[] {
  const { Region, StateChangeTime, AlarmArn, AlarmDescription } = alarm;
  const address = httpsLink(runbook ?? addressIn(AlarmDescription ?? ''));
  const place = runbook === undefined || address !== undefined ? [] : [{ label: 'Runbook', value: runbook }];
  return [
    header(title),
    ...texts.map(([label, text]) =>
      label === '' ? paragraph(text, REASON_CHARS) : labelled(`${label}:`, text, DESCRIPTION_CHARS),
    ),
    ...table([...facts, ...place]),
    ...buttons(address === undefined ? links : { ...links, runbook: address }),
    ...origin([Region ?? undefined, utcText(StateChangeTime ?? ''), AlarmArn ?? undefined]),
  ];
}

function plainText({ title, texts, facts, runbook = '' }: Said, { StateChangeTime }: Alarm): string {
  const paragraphs = texts.map(([label, text]) => (label === '' ? text : `${label}: ${text}`));
  const lines = facts.map(({ label, value }) => `${label}: ${value}`);
  const place = runbook === '' ? '' : `Runbook: ${runbook}`;
  return [title, ...paragraphs, lines.join('\n'), place, utcText(StateChangeTime ?? '')].filter(Boolean).join('\n\n');
}

/**
 * Only an alarm that is on says what to do. At its end, and without data, it says that: what it means and orders would not be true then.
 */
function textsOf(alarm: Alarm, described: AlarmDescription | undefined, reason: string): Said['texts'] {
  const wasOn = alarm.OldStateValue === 'ALARM';
  const was = wasOn && described ? ([['The alarm was', described.means]] as const) : [];
  switch (alarm.NewStateValue) {
    case 'OK':
      return [
        ['', wasOn ? 'It is over. Nothing to do.' : 'The alarm is off. Nothing to do.'],
        ...was,
        ['Measured', reason],
      ];
    case 'INSUFFICIENT_DATA':
      return [
        [
          '',
          `CloudWatch has too few values: whether ${wasOn ? 'it is over' : 'the condition of this alarm holds'} is unknown.`,
        ],
        ...was,
        ['CloudWatch says', reason],
      ];
    case 'ALARM':
      return described === undefined
        ? [
            ['', reason],
            ['Alarm', alarm.AlarmDescription ?? ''],
          ]
        : [
            ['', described.means],
            ['Next', described.next],
            ['Measured', reason],
          ];
  }
}

function titleOf({ NewStateValue, OldStateValue, AlarmName }: Alarm, described: AlarmDescription | undefined): string {
  switch (NewStateValue) {
    case 'OK':
      return `🟢 ${OldStateValue === 'ALARM' ? 'Over' : 'OK'}: ${AlarmName}`;
    case 'INSUFFICIENT_DATA':
      return `⚪ No data: ${AlarmName}`;
    case 'ALARM':
      // An alarm that Offpeak has not made says no severity: it may be a serious one.
      return `${described?.severity === 'warning' ? '🟠' : '🔴'} ALARM: ${AlarmName}`;
  }
}

function factsOf(alarm: Alarm, described: AlarmDescription | undefined): readonly AlertFact[] {
  const { Trigger: watched, OldStateValue, NewStateValue, AlarmRule, TriggeringChildren } = alarm;
  const isOn = NewStateValue === 'ALARM';
  const facts: readonly AlertFact[] = [
    ...placeFacts(alarm),
    { label: 'State', value: OldStateValue ? `${OldStateValue} → ${NewStateValue}` : NewStateValue },
    { label: 'Severity', value: (isOn && described?.severity) || '' },
    { label: 'Metric', value: watched ? comparedOf(watched).name : '' },
    { label: 'Alarm when', value: watched ? thresholdText(watched) : '' },
    { label: 'Because of', value: (TriggeringChildren ?? []).map(({ Arn }) => Arn.split(':alarm:').at(-1)).join(', ') },
    { label: 'Rule', value: AlarmRule ?? '' },
  ];
  return facts.filter(({ value }) => value !== '');
}

/** A block takes ten facts; up to six others come after these. */
const MOST_PLACES = 4;

/** Offpeak's own first. The stage is in the alarm's name. Another team's metrics have dimensions of their own, like CacheClusterId. */
function placeFacts(alarm: Alarm): readonly AlertFact[] {
  const { instance, node, stage } = DIMENSION;
  const { [stage]: _, ...places } = Object.fromEntries(placesOf(alarm));
  const names = [...new Set([instance, node, ...Object.keys(places)])].filter((name) => name in places);
  const facts = names.map((label) => ({ label, value: (places[label] ?? []).join(', ') }));
  const rest = facts.slice(MOST_PLACES - 1).map(({ label, value }) => `${label} ${value}`);
  if (rest.length <= 1) return facts;
  return [...facts.slice(0, MOST_PLACES - 1), { label: 'Dimensions', value: rest.join(', ') }];
}

/** `> 5.1 GiB in 2 of 2 periods of 5 min`. */
function thresholdText(trigger: Trigger): string {
  const { ComparisonOperator, Threshold, EvaluationPeriods, DatapointsToAlarm } = trigger;
  const { unit, period } = comparedOf(trigger);
  const operator = ComparisonOperator ?? '';
  const words = lookup(COMPARISONS, operator) ?? operator;
  const compared =
    bandText(trigger) || (typeof Threshold === 'number' ? `${words} ${quantityText(Threshold, unit)}`.trim() : '');
  if (compared === '') return '';
  if (typeof EvaluationPeriods !== 'number') return compared;
  const of = period === undefined ? '' : ` of ${periodText(period)}`;
  return `${compared} in ${DatapointsToAlarm ?? EvaluationPeriods} of ${EvaluationPeriods} periods${of}`;
}

/** `above the expected range, ANOMALY_DETECTION_BAND(m1, 2)`: the threshold of an anomaly alarm is another of its metrics. */
function bandText({ ComparisonOperator, ThresholdMetricId, Metrics = [] }: Trigger): string {
  const side = lookup(SIDES, ComparisonOperator ?? '');
  const band = ThresholdMetricId ? Metrics.find(({ Id }) => Id === ThresholdMetricId) : undefined;
  if (side === undefined) return '';
  return [`${side} the expected range`, band?.Expression].filter(Boolean).join(', ');
}

/** In a description that Offpeak has not written: the address after `Runbook`, or else the first. */
function addressIn(text: string): string | undefined {
  const address = '(https://[^\\s<>"\'|()]+)';
  const found = new RegExp(`runbook:?\\s*${address}`, 'i').exec(text)?.[1] ?? new RegExp(address).exec(text)?.[1];
  // Up to its last character that ends no sentence; `/[.,]+$/` would start anew at each of 100,000 full stops, for 9 s.
  return /^.*[^.,;:!?]/.exec(found ?? '')?.[0];
}
