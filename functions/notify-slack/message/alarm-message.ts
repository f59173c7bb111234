import type { KnownBlock } from '@slack/types';
import type { AlertFact } from '../../../core/domain/alert.ts';
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

/** Only an alarm that is on says what to do: one that is over has nothing to ask for. */
function textsOf(
  { NewStateValue, AlarmDescription }: Alarm,
  described: AlarmDescription | undefined,
  reason: string,
): Said['texts'] {
  if (NewStateValue !== 'ALARM') {
    return [
      ['', reason],
      ['The alarm was', described?.means ?? AlarmDescription ?? ''],
    ];
  }
  if (described === undefined) {
    return [
      ['', reason],
      ['Alarm', AlarmDescription ?? ''],
    ];
  }
  return [
    ['', described.means],
    ['Next', described.next],
    ['Measured', reason],
  ];
}

function titleOf({ NewStateValue, AlarmName }: Alarm, described: AlarmDescription | undefined): string {
  switch (NewStateValue) {
    case 'OK':
      return `🟢 OK: ${AlarmName}`;
    case 'INSUFFICIENT_DATA':
      return `⚪ No data: ${AlarmName}`;
    case 'ALARM':
      // An alarm that Offpeak has not made says no severity: it may be a serious one.
      return `${described?.severity === 'warning' ? '🟠' : '🔴'} ALARM: ${AlarmName}`;
  }
}

function factsOf(alarm: Alarm, described: AlarmDescription | undefined): readonly AlertFact[] {
  const { instances, nodes } = placesOf(alarm);
  const { Trigger: watched, OldStateValue, NewStateValue, AlarmRule, TriggeringChildren } = alarm;
  const isOn = NewStateValue === 'ALARM';
  const facts: readonly AlertFact[] = [
    { label: 'Instance', value: instances.join(', ') },
    { label: 'Node', value: nodes.join(', ') },
    { label: 'State', value: OldStateValue ? `${OldStateValue} → ${NewStateValue}` : NewStateValue },
    { label: 'Severity', value: (isOn && described?.severity) || '' },
    { label: 'Metric', value: watched ? comparedOf(watched).name : '' },
    { label: 'Alarm when', value: watched ? thresholdText(watched) : '' },
    { label: 'Because of', value: (TriggeringChildren ?? []).map(({ Arn }) => Arn.split(':alarm:').at(-1)).join(', ') },
    { label: 'Rule', value: AlarmRule ?? '' },
  ];
  return facts.filter(({ value }) => value !== '');
}

/** `> 5.1 GiB in 2 of 2 periods of 5 min`. */
function thresholdText(trigger: Trigger): string {
  const { ComparisonOperator, Threshold, EvaluationPeriods, DatapointsToAlarm } = trigger;
  if (typeof Threshold !== 'number') return '';
  const { unit, period } = comparedOf(trigger);
  const operator = ComparisonOperator ?? '';
  const compared = `${lookup(COMPARISONS, operator) ?? operator} ${quantityText(Threshold, unit)}`.trim();
  if (typeof EvaluationPeriods !== 'number') return compared;
  const of = period === undefined ? '' : ` of ${periodText(period)}`;
  return `${compared} in ${DatapointsToAlarm ?? EvaluationPeriods} of ${EvaluationPeriods} periods${of}`;
}

/** In a description that Offpeak has not written: the address after `Runbook`, or else the first. */
function addressIn(text: string): string | undefined {
  const address = '(https://[^\\s<>"\'|()]+)';
  const found = new RegExp(`runbook:?\\s*${address}`, 'i').exec(text)?.[1] ?? new RegExp(address).exec(text)?.[1];
  // Up to its last character that ends no sentence; `/[.,]+$/` would start anew at each of 100,000 full stops, for 9 s.
  return /^.*[^.,;:!?]/.exec(found ?? '')?.[0];
}
