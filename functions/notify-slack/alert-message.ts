import * as z from 'zod/mini';
import { ALERT_SCHEMA, type Alert } from '../../core/domain/alert.ts';
import {
  buttons,
  header,
  type Links,
  labelled,
  notificationText,
  origin,
  paragraph,
  section,
  table,
} from './blocks.ts';
import { type Page, pagesOf } from './digest-pages.ts';
import { LIMITS, type SlackMessage } from './limits.ts';
import { factsBeside, isDrawable, memoryPicture } from './memory-picture.ts';
import { timeText } from './time-text.ts';

const WHY_CHARS = 1_500;
const NEXT_CHARS = 1_000;

const SIGNS: Readonly<Record<Alert['severity'], string>> = { info: '🟢', warning: '🟠', critical: '🔴' };

const figure = z.exactOptional(z.number());

const event = z.custom<Alert['event']>((name) => typeof name === 'string');

/** The contract as it comes over the wire: an event of a newer job than this function is one that people want to see. */
const received = z.object({
  schema: z.literal(ALERT_SCHEMA),
  id: z.string(),
  event,
  severity: z.enum(['info', 'warning', 'critical']),
  at: z.string(),
  stage: z.string(),
  instance: z.string(),
  node: z.string(),
  title: z.string(),
  why: z.string(),
  facts: z.array(z.object({ label: z.string(), value: z.string() })),
  next: z.string(),
  figures: z.exactOptional(
    z.object({
      rssBefore: figure,
      rssAfter: figure,
      predictedBytes: figure,
      returnedBytes: figure,
      stallMs: figure,
      promisedStallMs: figure,
      memoryLimit: figure,
    }),
  ),
  members: z.exactOptional(
    z.array(z.object({ id: z.string(), event, instance: z.string(), node: z.string(), what: z.string() })),
  ),
});

/** An alert of Offpeak's own, or undefined where it is something else, or not whole. */
export function readAlert(json: unknown): Alert | undefined {
  const reading = z.safeParse(received, json);
  return reading.success ? reading.data : undefined;
}

/** An alert as a message; a digest whose nodes one message cannot list has more of them behind it. */
export function alertMessages(
  alert: Alert,
  links: Links,
): {
  readonly message: SlackMessage;
  readonly more: readonly { readonly message: SlackMessage; readonly text: string }[];
} {
  const [first = [], ...rest] = pagesOf(alert);
  const more = rest.map((page, index) => {
    const title = `${SIGNS[alert.severity]} ${alert.title} (${index + 2} of ${rest.length + 1})`;
    const message = {
      text: notificationText(title, LIMITS.textBesideBlocks),
      blocks: [header(title), ...page.map((text) => paragraph(text)), ...origin([alert.stage, alert.event, alert.id])],
    };
    return { message, text: `${title}\n\n${page.join('\n')}` };
  });
  return { message: alertMessage(alert, links, first), more };
}

/** What happened, before and after, why, the facts, what happens next, a digest's nodes, and where and when. */
function alertMessage(alert: Alert, links: Links, page: Page): SlackMessage {
  const { severity, title, why, next, facts, stage, instance, node, at, id, event } = alert;
  const figures = isDrawable(alert.figures) ? alert.figures : undefined;
  const picture = figures && memoryPicture(figures);
  return {
    text: notificationText(`${SIGNS[severity]} ${title}`, LIMITS.textBesideBlocks),
    blocks: [
      header(`${SIGNS[severity]} ${title}`),
      ...(picture === undefined ? [] : [section(picture)]),
      paragraph(why, WHY_CHARS),
      ...table(factsBeside(figures, facts)),
      labelled('Next:', next, NEXT_CHARS),
      ...buttons(linksFor(event, links)),
      ...page.map((part) => paragraph(part)),
      ...origin([stage, instance, node, timeText(at), event, id]),
    ],
  };
}

/** The runbook has a heading for each event. */
function linksFor(event: string, links: Links): Links {
  const { runbook } = links;
  if (runbook === undefined || runbook.includes('#') || !/^[a-z-]+$/.test(event)) return links;
  return { ...links, runbook: `${runbook}#${event}` };
}
