import type { MessageAttributeValue, SNSClient } from '@aws-sdk/client-sns';
import pLimit from 'p-limit';
import type { Alert } from '../../domain/alert.ts';
import { alertSubject } from '../../format/alert-layout.ts';
import { cleanText } from '../../format/wrap.ts';
import { type AlertSink, combined, type PublishReport } from '../../ports/sinks.ts';
import { regionFrom } from './clients.ts';
import { describeFailure } from './failure.ts';
import { type HttpsVariant, MESSAGE_BYTES, snsMessage } from './sns-message.ts';
import type { openTopic } from './sns-topic.ts';

interface AlertSinkOptions {
  /** A standard topic: FIFO topics deliver neither e-mail nor to Lambda. */
  readonly topicArn: string;
  /** What https subscribers get; default: 'alert'. */
  readonly https?: HttpsVariant;
  /** Address of the runbook, linked in mails. */
  readonly runbook?: string;
  /** See `AlertSink`. Default: no. */
  readonly hasNightlyDigest?: boolean;
  /** Called once, with the first alert. Default: from the process' environment. */
  readonly client?: () => SNSClient;
}

type Publish = ReturnType<typeof openTopic>;

/** If an endpoint hangs, each alert costs three time-outs: in parallel, they end together. */
const CONCURRENT_CALLS = 4;

/** A filter policy compares at most 256 characters of a text. */
const ATTRIBUTE_CHARS = 256;

/** The attributes count towards the message's 262,144 bytes, with their names and types. */
const ATTRIBUTES_AT_MOST = 65_536;

const TOPIC_ARN = /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/;

/**
 * Sends each alert as one SNS message. The report's `rejected` names each alert that SNS does not accept, and the
 * others are still sent; `send` does not throw when the service, the network or the credentials fail. The SDK's client loads with the
 * first alert: most ticks have none.
 *
 * @throws TypeError when `topicArn` is not the ARN of a standard topic
 * @throws AwsEnvironmentError when no region is set or an endpoint is not a URL
 */
export function createAlertSink({
  topicArn,
  https = 'alert',
  runbook,
  hasNightlyDigest = false,
  client,
}: AlertSinkOptions): AlertSink {
  if (!TOPIC_ARN.test(topicArn)) {
    throw new TypeError(
      `topicArn: ${JSON.stringify(topicArn)} is not a standard SNS topic: set it to arn:aws:sns:<region>:<account>:<name>`,
    );
  }
  // Checked now, although the client is not made yet: then the first tick reports an error, and not the first alert.
  if (client === undefined) regionFrom(process.env, 'SNS');
  let topic: Promise<Publish> | undefined;
  const publish: Publish = async (message) => {
    topic ??= import('./sns-topic.ts').then((module) => module.openTopic(client));
    return (await topic)(message);
  };
  return {
    hasNightlyDigest,
    async send(alerts) {
      const reports = await pLimit(CONCURRENT_CALLS).map(alerts, (alert) =>
        sendOne(publish, { topicArn, https, ...(runbook !== undefined && { runbook }) }, alert),
      );
      return combined(reports);
    },
  };
}

async function sendOne(
  publish: Publish,
  { topicArn, ...options }: Pick<AlertSinkOptions, 'topicArn' | 'https' | 'runbook'>,
  alert: Alert,
): Promise<PublishReport> {
  const MessageAttributes = attributesOf(alert);
  const maxBytes = MESSAGE_BYTES - Buffer.byteLength(JSON.stringify(MessageAttributes));
  const message = {
    TopicArn: topicArn,
    Subject: alertSubject(alert),
    MessageStructure: 'json',
    Message: snsMessage(alert, { maxBytes, ...options }).body,
    MessageAttributes,
  };
  try {
    await publish(message);
    return { sent: 1, rejected: [] };
  } catch (error) {
    return { sent: 0, rejected: [{ what: alertSubject(alert), why: describeFailure(error) }] };
  }
}

/** For subscribers' filters: of a digest, each of its instances and events. */
function attributesOf({
  severity,
  instance,
  event,
  stage,
  members = [],
}: Alert): Record<string, MessageAttributeValue> {
  const ofMembers = (key: 'instance' | 'event') => [...new Set(members.map((member) => clean(member[key])))];
  return {
    severity: textAttribute(severity),
    instance: listAttribute(ofMembers('instance')) ?? textAttribute(instance),
    event: listAttribute(ofMembers('event')) ?? textAttribute(event),
    stage: textAttribute(stage),
  };
}

function textAttribute(text: string): MessageAttributeValue {
  return { DataType: 'String', StringValue: clean(text) };
}

/** Undefined for fewer than two, which a text names, and for more than there is room for. */
function listAttribute(texts: readonly string[]): MessageAttributeValue | undefined {
  if (texts.length < 2) return undefined;
  const StringValue = JSON.stringify(texts);
  return Buffer.byteLength(StringValue) > ATTRIBUTES_AT_MOST ? undefined : { DataType: 'String.Array', StringValue };
}

function clean(text: string): string {
  // SNS refuses the whole message for an empty attribute.
  return cleanText(text).slice(0, ATTRIBUTE_CHARS).toWellFormed() || 'unknown';
}
