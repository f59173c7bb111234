import { SendMessageBatchCommand, type SendMessageBatchCommandOutput, SQSClient } from '@aws-sdk/client-sqs';
import pLimit from 'p-limit';
import { ENVIRONMENT, required } from '../../config/environment.ts';
import { type BatchQueue, MOST_BYTES, type QueuedBatch } from '../../ports/batch-queue.ts';
import { combined, type PublishReport, type Rejection } from '../../ports/sinks.ts';
import { clientSettings } from './clients.ts';
import { describeFailure } from './failure.ts';

/** SQS takes ten messages in one request, of 256 KiB together. */
const IN_ONE_REQUEST = 10;
const REQUESTS_AT_ONCE = 8;

/** The queue of the stage. @throws {EnvironmentError} {AwsEnvironmentError} naming what is missing or wrong */
export function openBatchQueue(env: Readonly<Record<string, string | undefined>>): BatchQueue {
  const url = required(
    env,
    ENVIRONMENT.batchQueueUrl,
    'the address of the SQS queue from which the workers take batches',
  );
  const client = new SQSClient(clientSettings('SQS'));
  return {
    async send(batches) {
      const requests = requestsOf(batches);
      return combined(await pLimit(REQUESTS_AT_ONCE).map(requests, (some) => sendSome(client, url, some)));
    },
  };
}

function requestsOf(batches: readonly QueuedBatch[]): readonly (readonly QueuedBatch[])[] {
  const requests: QueuedBatch[][] = [];
  let room = 0;
  for (const batch of batches) {
    const bytes = Buffer.byteLength(batch.body);
    const last = requests.at(-1);
    const fits = last !== undefined && last.length < IN_ONE_REQUEST && bytes <= room;
    if (fits) last.push(batch);
    else requests.push([batch]);
    room = (fits ? room : MOST_BYTES) - bytes;
  }
  return requests;
}

async function sendSome(client: SQSClient, QueueUrl: string, batches: readonly QueuedBatch[]): Promise<PublishReport> {
  const first = await attempt(client, QueueUrl, batches);
  // SQS may take a part of a request only: the rest is offered once more.
  const left = first.failed.map(({ batch }) => batch);
  const { failed } =
    left.length === 0 || left.length === batches.length ? first : await attempt(client, QueueUrl, left);
  const rejected = failed.map(({ batch: { what }, why }): Rejection => ({ what, why }));
  return { sent: batches.length - rejected.length, rejected };
}

interface Attempt {
  readonly failed: readonly { readonly batch: QueuedBatch; readonly why: string }[];
}

async function attempt(client: SQSClient, QueueUrl: string, batches: readonly QueuedBatch[]): Promise<Attempt> {
  const Entries = batches.map(({ body }, index) => ({ Id: String(index), MessageBody: body }));
  try {
    const { Failed = [] } = await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    return { failed: Failed.flatMap((one) => refusedBatch(batches, one)) };
  } catch (error) {
    return { failed: batches.map((batch) => ({ batch, why: describeFailure(error) })) };
  }
}

type Refused = NonNullable<SendMessageBatchCommandOutput['Failed']>[number];

function refusedBatch(batches: readonly QueuedBatch[], { Id, Code, Message }: Refused): Attempt['failed'] {
  const batch = batches[Number(Id)];
  return batch ? [{ batch, why: [Code, Message].filter(Boolean).join(': ') }] : [];
}
