import type { SNSMessage } from 'aws-lambda';
import { digestOf } from '../../../../core/alerts/digest.ts';
import { nightlyDigestOf } from '../../../../core/alerts/night-digest.ts';
import type { Alert } from '../../../../core/domain/alert.ts';
import type { Links } from '../../../../functions/notify-slack/message/blocks.ts';
import type { Post } from '../../../../functions/notify-slack/message/post.ts';
import { type Rendered, render } from '../../../../functions/notify-slack/message/render.ts';
import { noteOf } from '../../../../functions/notify-slack/record.ts';
import { KINDS, stormOf, stormOfKind } from '../../../support/storm.ts';
import { purgedAfter, reportOf, stopped } from '../../core/actions/defrag/steps.ts';
import { ROWS } from '../../core/reporting/alert-rows.ts';
import { TROUBLE_ALERTS } from '../../core/reporting/trouble-alerts.ts';
import { ALARMS, RUNBOOK } from './alarms.ts';
import { alarmNotification, alertNotification, aNotification, anEvent } from './sns-events.ts';

export const LINKS: Links = {
  dashboard:
    'https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#dashboards/dashboard/offpeak-prod',
  runbook: RUNBOOK,
};

/** One alert of the job for each row of its own tests, so for every event. */
export const ALERTS: Readonly<Record<string, Alert>> = Object.fromEntries([
  ...ROWS.map(([name, outcomes, , , , changes = []]) => [name, firstAlert(outcomes, { changes })] as const),
  ...TROUBLE_ALERTS,
  ['goal met, then a purge', firstAlert([stopped('goal-met', { purge: purgedAfter })])] as const,
]);

/** What happened to many nodes in one tick. */
const DIGESTS: Readonly<Record<string, Alert>> = {
  '12 nodes of a build that refuses active defrag': digested(stormOfKind(12, 'unsupported')),
  '12 nodes purged': digested(stormOfKind(12, 'a purge that helped')),
  'a night': nightlyDigestOf(nightOf(9), 'prod/night/5d41402abc4b2a76b9719d911017c592'),
  'warnings of several kinds': digested(stormOf(60).filter(({ severity }) => severity === 'warning')),
};

export const OTHERS: Readonly<Record<string, SNSMessage>> = {
  'plain text': aNotification({
    Subject: 'Deploy finished',
    Message: 'offpeak-prod is at version 0.3.0.\nNothing to do.',
  }),
  'JSON of somebody else': aNotification({ Message: '{"source":"aws.health","detail":{"service":"ELASTICACHE"}}' }),
};

/** The messages that docs/ shows, by name: a fixed input each, so that only a change of the code changes them. */
export function slackSamples(): Readonly<Record<string, Readonly<Record<string, Post['message']>>>> {
  return {
    alerts: mapped(ALERTS, (alert) => messageOf(alertNotification(alert))),
    digests: mapped(DIGESTS, (alert) => messageOf(alertNotification(alert))),
    alarms: mapped(ALARMS, (alarm) => messageOf(alarmNotification(alarm))),
    others: mapped(OTHERS, messageOf),
  };
}

/** What the function makes of a notification that comes from the queue; `message` and `plain` are of its first message. */
export function rendered(notification: SNSMessage, links: Links = LINKS): Rendered & Post {
  const all = render(noteOf(anEvent(notification)), links);
  return { ...all, ...all.posts[0] };
}

function messageOf(notification: SNSMessage): Post['message'] {
  return rendered(notification).message;
}

function mapped<In, Out>(all: Readonly<Record<string, In>>, change: (one: In) => Out): Readonly<Record<string, Out>> {
  return Object.fromEntries(Object.entries(all).map(([name, one]) => [name, change(one)]));
}

/** Purges and runs, one that returned too little, and a build that cannot defragment. */
function nightOf(count: number): readonly [Alert, ...Alert[]] {
  const kinds = ['a purge that helped', 'its goal is met', 'a purge that did not', 'a defrag begins'];
  const [first, ...more] = stormOf(
    count,
    kinds.flatMap((kind) => KINDS.filter(([name]) => name === kind)),
  );
  if (!first) throw new Error('alerts expected');
  return [first, ...more];
}

export function digested(alerts: readonly Alert[]): Alert {
  const [first, ...more] = alerts;
  if (!first) throw new Error('alerts expected');
  return digestOf([first, ...more], 'prod/digest/5d41402abc4b2a76b9719d911017c592');
}

function firstAlert(...input: Parameters<typeof reportOf>): Alert {
  const [alert] = reportOf(...input).alerts;
  if (!alert) throw new Error('an alert expected');
  return alert;
}
