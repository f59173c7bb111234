import * as z from 'zod/mini';
import { ALERT_SCHEMA, type Alert, type AlertFact } from '../../../core/domain/alert.ts';

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
  const reading = z.safeParse(received, json);
  return reading.success ? reading.data : undefined;
}
