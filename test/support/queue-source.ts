import pLimit from 'p-limit';
import { z } from 'zod';
import { callSqs, createQueue, type MotoQueue } from './moto-queue.ts';

const Received = z.object({
  Messages: z.array(z.object({ MessageId: z.string(), Body: z.string(), ReceiptHandle: z.string() })).default([]),
});

/** The queue in front of a function, and what Lambda does between the two. */
export interface QueueSource {
  readonly queue: MotoQueue;
  /** What was given up. */
  readonly deadLetters: MotoQueue;
  /**
   * Brings batches to the functions until the queue is empty, side by side: a batch is deleted, or comes again where the function failed,
   * without the wait that a real queue makes.
   */
  drain(functions: readonly ((event: unknown) => Promise<unknown>)[]): Promise<void>;
}

interface QueueOfTemplate {
  readonly maxReceiveCount: number;
  readonly batchSize: number;
}

/** @param motoUrl moto's own URL */
export async function queueSource(
  motoUrl: string,
  { maxReceiveCount, batchSize }: QueueOfTemplate,
): Promise<QueueSource> {
  const deadLetters = await createQueue(motoUrl, 'notify-slack-dead-letters');
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: deadLetters.arn, maxReceiveCount });
  const queue = await createQueue(motoUrl, 'notify-slack', { VisibilityTimeout: '360', RedrivePolicy });
  const QueueUrl = queue.url;
  // moto 5.2.1 answers in threads, and hands a message to two that ask at once.
  const inTurn = pLimit(1);
  const call = (operation: string, input: object) => inTurn(() => callSqs(motoUrl, operation, { QueueUrl, ...input }));

  async function batch(fn: (event: unknown) => Promise<unknown>): Promise<boolean> {
    const { Messages } = Received.parse(await call('ReceiveMessage', { MaxNumberOfMessages: batchSize }));
    if (Messages.length === 0) return false;
    const Records = Messages.map(({ MessageId, Body, ReceiptHandle }) => ({
      messageId: MessageId,
      receiptHandle: ReceiptHandle,
      body: Body,
      eventSource: 'aws:sqs',
      eventSourceARN: queue.arn,
      awsRegion: 'eu-west-1',
    }));
    const isDone = await fn({ Records }).then(
      () => true,
      () => false,
    );
    for (const { ReceiptHandle } of Messages) {
      if (!isDone) await call('ChangeMessageVisibility', { ReceiptHandle, VisibilityTimeout: 0 });
      else await call('DeleteMessage', { ReceiptHandle });
    }
    return true;
  }

  return {
    queue,
    deadLetters,
    async drain(functions) {
      await Promise.all(
        functions.map(async (fn) => {
          for (let isMore = true; isMore; ) isMore = await batch(fn);
        }),
      );
    },
  };
}
