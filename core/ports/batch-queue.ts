import type { PublishReport } from './sinks.ts';

/** A message for the workers. */
export interface QueuedBatch {
  /** For people, in the report of what was not accepted. */
  readonly what: string;
  /** JSON, less than `MOST_BYTES`. */
  readonly body: string;
}

/** What a queue takes in one message. SQS takes more by now; its older regions, and what stands in for it, do not. */
export const MOST_BYTES = 256 * 1024;

/** Where a dispatch hands out batches. Reports the failure of a service and never throws. */
export interface BatchQueue {
  send(batches: readonly QueuedBatch[]): Promise<PublishReport>;
}
