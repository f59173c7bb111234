import * as z from 'zod/mini';
import { ALERT_SCHEMA, type Alert, type AlertFact } from '../../../core/domain/alert.ts';
import { alertText } from '../../../core/format/alert-layout.ts';
import { utcText } from '../../../core/format/utc-text.ts';
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
  section,
  table,
} from './blocks.ts';
import { type Page, pagesOf } from './digest-pages.ts';
import { factsBeside, isDrawable, memoryBars } from './memory-bars.ts';
import type { Draft, SlackMessage } from './post.ts';

const WHY_CHARS = 1_500;
const NEXT_CHARS = 1_000;

const SIGNS: Readonly<Record<Alert['severity'], string>> = { info: '🟢', warning: '🟠', critical: '🔴' };

/** An alert as a message; a digest with more nodes than one message can list has further ones. */
export function alertPages(alert: Alert, links: Links): readonly [Draft, ...Draft[]] {
  const [first = [], ...rest] = pagesOf(alert);
  const more = rest.map((page, index) => furtherPage(alert, page, `${index + 2} of ${rest.length + 1}`));
  return [{ message: alertMessage(alert, links, first), text: alertText(alert) }, ...more];
}

function furtherPage(alert: Alert, page: Page, number: string): Draft {
  const title = `${titleOf(alert)} (${number})`;
  const message = {
    text: notificationText(title, LIMITS.textBesideBlocks),
    blocks: [header(title), ...page.map((text) => paragraph(text)), ...origin([alert.stage, alert.event, alert.id])],
  };
  return { message, text: `${title}\n\n${page.join('\n')}` };
}

/** What happened, before and after, why, the facts, what happens next, a digest's nodes, and where and when. */
function alertMessage(alert: Alert, links: Links, page: Page): SlackMessage {
  const { why, next, facts, stage, instance, node, at, id, event } = alert;
  const title = titleOf(alert);
  const figures = isDrawable(alert.figures) ? alert.figures : undefined;
  const picture = figures && memoryBars(figures);
  return {
    text: notificationText(title, LIMITS.textBesideBlocks),
    blocks: [
      header(title),
      ...(picture === undefined ? [] : [section(picture)]),
      paragraph(why, WHY_CHARS),
      ...table(factsBeside(figures, facts)),
      labelled('Next:', next, NEXT_CHARS),
      ...buttons(linksFor(event, links)),
      ...page.map((part) => paragraph(part)),
      ...origin([stage, instance, node, utcText(at), event, id]),
    ],
  };
}

/** An end has the severity of its beginning, so that the same people get it; it is good news all the same. */
function titleOf({ event, severity, title }: Alert): string {
  return `${event === 'trouble-over' ? SIGNS.info : SIGNS[severity]} ${title}`;
}

/** The runbook has a heading for each event. */
function linksFor(event: string, links: Links): Links {
  const { runbook } = links;
  if (runbook === undefined || runbook.includes('#') || !/^[a-z-]+$/.test(event)) return links;
  return { ...links, runbook: httpsLink(`${runbook}#${event}`) ?? runbook };
}

const figure = z.exactOptional(z.number());

// Names that a newer job has and this function does not know stay as they are: people want to see those alerts, too.
const isText = (name: unknown) => typeof name === 'string';
const event = z.custom<Alert['event']>(isText);
const figureName = z.custom<NonNullable<AlertFact['figure']>>(isText);

/** The contract as SNS delivers it. */
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
  facts: z.array(z.object({ label: z.string(), value: z.string(), figure: z.exactOptional(figureName) })),
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

/** An alert of Offpeak, or undefined where it is something else or lacks a part. */
export function readAlert(json: unknown): Alert | undefined {
  return z.safeParse(received, json).data;
}
