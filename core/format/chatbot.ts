import type { Alert, Severity } from '../domain/alert.ts';
import { countsText, memberText } from './digest-text.ts';
import { escapedText } from './slack-text.ts';

/**
 * Characters for each text. The guide names the fields and gives no lengths, so these stay below what the chat accepts in one block (Slack:
 * 3000 characters).
 */
export const CHATBOT_CHARS = { title: 250, description: 2_500, nextStep: 350, word: 75, thread: 250 } as const;

const LABEL_CHARS = 80;
const VALUE_CHARS = 250;
const WHY_CHARS = 1_000;
/** For the number of nodes that are left out of a digest. */
const REST_CHARS = 500;

const SIGNS: Readonly<Record<Severity, string>> = {
  info: ':information_source:',
  warning: ':warning:',
  critical: ':rotating_light:',
};

/**
 * The alert as a custom notification, which Amazon Q Developer in chat applications (once AWS Chatbot) shows of a message over SNS; it drops
 * every other text without a message. Source: "Event schema" in its administrator guide, custom-notifs.html. One thread for each instance,
 * texts escaped as Slack wants it and cut to their bounds.
 */
export function chatbotNotification(alert: Alert) {
  const { id, event, severity, at, stage, instance, node, title, next } = alert;
  return {
    version: '1.0',
    source: 'custom',
    id: bounded(id, CHATBOT_CHARS.thread),
    content: {
      textType: 'client-markdown',
      title: bounded(`${SIGNS[severity]} ${title}`, CHATBOT_CHARS.title),
      description: description(alert),
      nextSteps: [bounded(next, CHATBOT_CHARS.nextStep)],
      keywords: [event, severity, stage, instance].map((word) => bounded(word, CHATBOT_CHARS.word)),
    },
    metadata: {
      threadId: bounded(`offpeak/${stage}/${instance}`, CHATBOT_CHARS.thread),
      summary: bounded(`Offpeak ${stage}: ${instance}`, CHATBOT_CHARS.thread),
      eventType: bounded(event, CHATBOT_CHARS.word),
      relatedResources: [bounded(node, CHATBOT_CHARS.thread)],
      additionalContext: { severity, node: bounded(node, CHATBOT_CHARS.thread), at: bounded(at, CHATBOT_CHARS.word) },
    },
  };
}

/** Why, and as many of the facts and of a digest's nodes as fit, each whole; how many nodes are left out, by instance. */
function description({ why, facts, members = [] }: Alert): string {
  const lines = [
    ...facts.map(({ label, value }) => `\n• *${bounded(label, LABEL_CHARS)}*: ${bounded(value, VALUE_CHARS)}`),
    ...members.map((member) => `\n• ${bounded(memberText(member), VALUE_CHARS)}`),
  ];
  const most = CHATBOT_CHARS.description - (members.length === 0 ? 0 : REST_CHARS);
  let text = bounded(why, WHY_CHARS);
  let shown = 0;
  for (const line of lines) {
    if (text.length + line.length > most) break;
    text += line;
    shown += 1;
  }
  const left = members.slice(Math.max(0, shown - facts.length));
  return left.length === 0
    ? text
    : `${text}\n${bounded(`And ${left.length} more: ${countsText(left)}`, REST_CHARS - 1)}`;
}

/** Never empty: the schema gives no meaning to an empty text. */
function bounded(text: string, maxChars: number): string {
  return escapedText(text, maxChars) || '-';
}
