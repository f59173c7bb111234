import { z } from 'zod';

/** An SQS queue in moto: what a topic's subscriber receives can be read from it. */
export interface MotoQueue {
  readonly arn: string;
  readonly url: string;
  /** Receives and deletes up to ten messages. */
  receive(): Promise<Envelope[]>;
}

const Envelope = z.object({
  Type: z.literal('Notification'),
  TopicArn: z.string(),
  Subject: z.string(),
  Message: z.string(),
  MessageAttributes: z.record(z.string(), z.object({ Type: z.string(), Value: z.string() })),
});

/** The JSON in which SNS wraps a message for SQS. */
export type Envelope = z.infer<typeof Envelope>;

/** moto takes the service from the credential scope, and checks no signature. */
const AUTHORIZATION =
  'AWS4-HMAC-SHA256 Credential=testing/20260101/eu-west-1/sqs/aws4_request, SignedHeaders=host, Signature=0';

/**
 * @param motoUrl moto's own URL: the project has no SQS client, so this calls the JSON API by hand
 * @param attributes as CreateQueue takes them
 */
export async function createQueue(
  motoUrl: string,
  name: string,
  attributes: Readonly<Record<string, string>> = {},
): Promise<MotoQueue> {
  const call = (operation: string, input: object) => callSqs(motoUrl, operation, input);
  const { QueueUrl } = z
    .object({ QueueUrl: z.string() })
    .parse(await call('CreateQueue', { QueueName: name, Attributes: attributes }));
  const { Attributes } = z
    .object({ Attributes: z.object({ QueueArn: z.string() }) })
    .parse(await call('GetQueueAttributes', { QueueUrl, AttributeNames: ['QueueArn'] }));
  const Received = z.object({
    Messages: z.array(z.object({ Body: z.string(), ReceiptHandle: z.string() })).default([]),
  });
  return {
    arn: Attributes.QueueArn,
    url: QueueUrl,
    async receive() {
      const { Messages } = Received.parse(await call('ReceiveMessage', { QueueUrl, MaxNumberOfMessages: 10 }));
      for (const { ReceiptHandle } of Messages) await call('DeleteMessage', { QueueUrl, ReceiptHandle });
      return Messages.map(({ Body }) => Envelope.parse(JSON.parse(Body)));
    },
  };
}

export async function callSqs(motoUrl: string, operation: string, input: object): Promise<unknown> {
  const response = await fetch(motoUrl, {
    method: 'POST',
    headers: {
      authorization: AUTHORIZATION,
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `AmazonSQS.${operation}`,
    },
    body: JSON.stringify(input),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${operation}: ${response.status} ${text.slice(0, 300)}`);
  return text === '' ? {} : JSON.parse(text);
}
