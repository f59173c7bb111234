import { alertText } from '../../core/format/alert-text.ts';
import { readAlarm } from './alarm.ts';
import { alarmAsText, alarmMessage } from './alarm-message.ts';
import { alertMessages, readAlert } from './alert-message.ts';
import { header, type Links, notificationText, origin, paragraph } from './blocks.ts';
import { blockKitFaults, LIMITS, type SlackMessage } from './limits.ts';

/** What of an SNS record a message is made from. */
export interface Note {
  readonly messageId: string;
  /** By what the queue knows it, where it came from there. */
  readonly receipt?: string;
  readonly message: string;
  readonly subject?: string | undefined;
  readonly topicArn?: string | undefined;
  /** ISO 8601. */
  readonly timestamp?: string | undefined;
}

export interface Rendered {
  readonly kind: 'alert' | 'alarm' | 'other';
  readonly message: SlackMessage;
  /** Text alone: for when Slack refuses the blocks of `message`. */
  readonly plain: SlackMessage;
  /** The rest of a digest, which follows in messages of its own. */
  readonly more: readonly Pick<Rendered, 'message' | 'plain'>[];
  /** Why `message` is the plain one already; empty where its blocks are within the limits. */
  readonly faults: readonly string[];
}

/**
 * An SNS record as a message for Slack: Offpeak's alerts and CloudWatch's alarms with their figures, anything else as the
 * text that it is. Never throws, and never gives a message that breaks Slack's limits as far as they are known.
 */
export function render(note: Note, links: Links): Rendered {
  const { kind, message, text, more = [] } = drawn(note, links);
  const faults = blockKitFaults(message);
  const shown = withPlain(message, text);
  return { kind, ...shown, more: more.map((one) => withPlain(one.message, one.text)), faults };
}

/** Its plain text in its place, where Slack would not take its blocks. */
function withPlain(message: SlackMessage, text: string): Pick<Rendered, 'message' | 'plain'> {
  const plain: SlackMessage = { text: notificationText(text, LIMITS.textAlone), mrkdwn: false };
  return { message: blockKitFaults(message).length === 0 ? message : plain, plain };
}

interface Drawn {
  readonly kind: Rendered['kind'];
  readonly message: SlackMessage;
  readonly text: string;
  readonly more?: readonly Pick<Drawn, 'message' | 'text'>[];
}

function drawn(note: Note, links: Links): Drawn {
  const json = parsed(note.message);
  const alert = readAlert(json);
  if (alert) return { kind: 'alert', ...alertMessages(alert, links), text: alertText(alert) };
  const alarm = readAlarm(json);
  if (alarm) return { kind: 'alarm', message: alarmMessage(alarm, links), text: alarmAsText(alarm) };
  return otherMessage(note);
}

/** Nothing that this function knows: shown as text, since whoever published it wanted to be read. */
function otherMessage({ message, subject, topicArn, timestamp, messageId }: Note): Drawn {
  const title = subject?.trim() || 'Notification';
  const blocks = [
    header(title),
    paragraph(message),
    ...origin([topicArn?.split(':').at(-1), timestamp, `id ${messageId}`]),
  ];
  return {
    kind: 'other',
    message: { text: notificationText(`${title}: ${message}`, LIMITS.textBesideBlocks), blocks },
    text: `${title}\n\n${message}`,
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Plain text is legal: it is shown as it is.
    return undefined;
  }
}
