import * as z from 'zod/mini';
import { ALERT_SCHEMA, type Alert } from '../shared/contracts/alert.ts';
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
import { LIMITS, type SlackMessage } from './limits.ts';
import { factsBeside, isDrawable, memoryPicture } from './memory-picture.ts';
import { timeText } from './time-text.ts';

const WHY_CHARS = 1_500;
const NEXT_CHARS = 1_000;

const SIGNS: Readonly<Record<Alert['severity'], string>> = { info: '🟢', warning: '🟠', critical: '🔴' };

const figure = z.exactOptional(z.number());

/** The contract as it comes over the wire: an event of a newer job than this function is one that people want to see. */
const received = z.object({
  schema: z.literal(ALERT_SCHEMA),
  id: z.string(),
  event: z.custom<Alert['event']>((event) => typeof event === 'string'),
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
});

/** An alert of Offpeak's own, or undefined where it is something else, or not whole. */
export function readAlert(json: unknown): Alert | undefined {
  const reading = z.safeParse(received, json);
  return reading.success ? reading.data : undefined;
}

/** What happened, before and after, why, the facts, what happens next, and where and when. */
export function alertMessage(alert: Alert, links: Links): SlackMessage {
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
