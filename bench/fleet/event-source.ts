import pLimit from 'p-limit';
import { z } from 'zod';
import { callSqs, type MotoQueue } from '../../test/support/moto-queue.ts';

const Received = z.object({
  Messages: z.array(z.object({ MessageId: z.string(), Body: z.string(), ReceiptHandle: z.string() })).default([]),
});

/** What a worker answers to an event of several messages. */
export interface PartialResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

interface Delivered {
  readonly messages: number;
  readonly failed: number;
  /** What Lambda asks of the queue, the receives that found it empty included. */
  readonly calls: readonly { readonly operation: string }[];
}

/**
 * Empties the queue into the workers, as Lambda does: receives up to `batchSize` messages for each that is free, invokes it, and deletes what
 * did not fail.
 */
export async function deliver(
  motoUrl: string,
  { url: QueueUrl, arn }: MotoQueue,
  batchSize: number,
  workers: readonly ((event: unknown) => Promise<PartialResponse>)[],
): Promise<Delivered> {
  const calls: { operation: string }[] = [];
  // moto 5.2.1 answers in threads, and hands a message to two that ask at once.
  const inTurn = pLimit(1);
  const call = (operation: string, input: object) => {
    calls.push({ operation });
    return inTurn(() => callSqs(motoUrl, operation, { QueueUrl, ...input }));
  };
  let [messages, failed] = [0, 0];
  const feed = async (worker: (typeof workers)[number]) => {
    for (;;) {
      const { Messages } = Received.parse(await call('ReceiveMessage', { MaxNumberOfMessages: batchSize }));
      if (Messages.length === 0) return;
      messages += Messages.length;
      const { batchItemFailures } = await worker({ Records: Messages.map((one) => recordOf(one, arn)) });
      failed += batchItemFailures.length;
      const isDone = ({ MessageId }: { readonly MessageId: string }) =>
        batchItemFailures.every(({ itemIdentifier }) => itemIdentifier !== MessageId);
      const Entries = Messages.filter(isDone).map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
      await call('DeleteMessageBatch', { Entries });
    }
  };
  await Promise.all(workers.map(feed));
  return { messages, failed, calls };
}

function recordOf({ MessageId, Body, ReceiptHandle }: z.infer<typeof Received>['Messages'][number], arn: string) {
  return {
    ...{ messageId: MessageId, body: Body, receiptHandle: ReceiptHandle, md5OfBody: '' },
    ...{ attributes: {}, messageAttributes: {}, eventSource: 'aws:sqs', eventSourceARN: arn, awsRegion: 'eu-west-1' },
  };
}
