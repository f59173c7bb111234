import { type MessageAttributeValue, PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import pLimit from 'p-limit';
import type { Alert } from '../contracts/alert.ts';
import { alertSubject } from '../contracts/alert-text.ts';
import type { AlertSink, PublishReport } from '../contracts/sinks.ts';
import { cleanText } from '../contracts/wrap.ts';
import { describeFailure } from './failure.ts';
import { type HttpsVariant, MESSAGE_BYTES, snsMessage } from './sns-message.ts';

export interface AlertSinkOptions {
  /** A standard topic: FIFO topics deliver neither e-mail nor to Lambda. */
  readonly topicArn: string;
  /** What https subscribers get; default: 'alert'. */
  readonly https?: HttpsVariant;
}

/** One endpoint that hangs costs each alert three time-outs: side by side, they end together. */
const CONCURRENT_CALLS = 4;

/** A filter policy compares at most 256 characters of a text. */
const ATTRIBUTE_CHARS = 256;

/** The attributes count towards the message's 262,144 bytes: four texts of 256 characters of at most 4 bytes, and names. */
const BODY_BYTES = MESSAGE_BYTES - 8_192;

const TOPIC_ARN = /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/;

/**
 * Sends each alert as one SNS message. An alert that SNS does not take is named in the report's `rejected`, and the
 * others still go; `send` does not throw when the service, the network or the credentials fail.
 *
 * @throws TypeError when `topicArn` is not the ARN of a standard topic
 */
export function createAlertSink(client: SNSClient, options: AlertSinkOptions): AlertSink {
  const { topicArn, https = 'alert' } = options;
  if (!TOPIC_ARN.test(topicArn)) {
    throw new TypeError(
      `topicArn: ${JSON.stringify(topicArn)} is not a standard SNS topic: accepted is arn:aws:sns:<region>:<account>:<name>`,
    );
  }
  return {
    async send(alerts) {
      const reports = await pLimit(CONCURRENT_CALLS).map(alerts, (alert) =>
        sendOne(client, { topicArn, https }, alert),
      );
      return {
        sent: reports.reduce((sum, report) => sum + report.sent, 0),
        rejected: reports.flatMap((report) => report.rejected),
      };
    },
  };
}

async function sendOne(
  client: SNSClient,
  { topicArn, https }: Required<AlertSinkOptions>,
  alert: Alert,
): Promise<PublishReport> {
  const message = new PublishCommand({
    TopicArn: topicArn,
    Subject: alertSubject(alert),
    MessageStructure: 'json',
    Message: snsMessage(alert, { maxBytes: BODY_BYTES, https }).body,
    MessageAttributes: attributesOf(alert),
  });
  try {
    await client.send(message);
    return { sent: 1, rejected: [] };
  } catch (error) {
    return { sent: 0, rejected: [{ what: alertSubject(alert), why: describeFailure(error) }] };
  }
}

/** What subscribers filter on. */
function attributesOf({ severity, instance, event, stage }: Alert): Record<string, MessageAttributeValue> {
  return {
    severity: textAttribute(severity),
    instance: textAttribute(instance),
    event: textAttribute(event),
    stage: textAttribute(stage),
  };
}

function textAttribute(text: string): MessageAttributeValue {
  const clean = cleanText(text).slice(0, ATTRIBUTE_CHARS).toWellFormed();
  // SNS refuses the whole message for an empty attribute.
  return { DataType: 'String', StringValue: clean === '' ? 'unknown' : clean };
}
