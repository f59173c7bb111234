import type { Severity } from '../../../core/domain/alert.ts';
import { parseAlarmDescription } from '../../../core/format/alarm-description.ts';
import { jsonIn } from '../../../core/format/json.ts';
import { utcText } from '../../../core/format/utc-text.ts';
import { readAlarm } from './alarm.ts';
import { alarmDraft } from './alarm-message.ts';
import { alertPages, readAlert } from './alert-message.ts';
import { header, LIMITS, type Links, notificationText, origin, paragraph } from './blocks.ts';
import type { Note } from './note.ts';
import type { Draft, Post } from './post.ts';

export interface Rendered {
  readonly kind: 'alert' | 'alarm' | 'other';
  /** Of an alarm's end, that of the alarm. Of what Offpeak has not made it is unknown, and may be anything. */
  readonly severity?: Severity;
  /** In order. Only a digest of many nodes has more than one. */
  readonly posts: readonly [Post, ...Post[]];
}

/**
 * Offpeak's alerts and CloudWatch's alarms with their figures; anything else as the text that it is, since its publisher wants it to be
 * read. Never throws.
 */
export function render(note: Note, links: Links): Rendered {
  // Plain text is legal: it is shown as it is.
  const json = jsonIn(note.message);
  const alert = readAlert(json);
  if (alert) {
    const [first, ...more] = alertPages(alert, links);
    return { kind: 'alert', severity: alert.severity, posts: [postOf(first), ...more.map(postOf)] };
  }
  const alarm = readAlarm(json);
  if (alarm) {
    const { severity } = parseAlarmDescription(alarm.AlarmDescription ?? '') ?? {};
    return { kind: 'alarm', ...(severity && { severity }), posts: [postOf(alarmDraft(alarm, links))] };
  }
  return { kind: 'other', posts: [postOf(otherMessage(note))] };
}

function postOf({ message, text }: Draft): Post {
  return { message, plain: { text: notificationText(text, LIMITS.textAlone), mrkdwn: false } };
}

function otherMessage({ message, subject, topicArn, timestamp, messageId }: Note): Draft {
  const title = subject?.trim() || 'Notification';
  const blocks = [
    header(title),
    paragraph(message),
    ...origin([topicArn?.split(':').at(-1), utcText(timestamp ?? ''), `id ${messageId}`]),
  ];
  return {
    message: { text: notificationText(`${title}: ${message}`, LIMITS.textBesideBlocks), blocks },
    text: `${title}\n\n${message}`,
  };
}
