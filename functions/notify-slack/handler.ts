import '../../core/adapters/quiet.ts';
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import { countdown } from '../../core/adapters/countdown.ts';
import { type Milliseconds, SECOND } from '../../core/config/units.ts';
import { type ComposeOptions, compose } from './compose.ts';
import { NotDelivered, notify, type Ports, type Summary } from './notify.ts';
import { notesOf } from './sns-event.ts';

const logger = new Logger({ serviceName: 'offpeak-notify-slack' });

/** For the last log lines, and for the error to be told before Lambda ends the invocation. */
const RESERVED: Milliseconds = SECOND;

/** What the queue brings again: Lambda's partial batch response. */
interface Response extends Summary {
  readonly batchItemFailures?: readonly { readonly itemIdentifier: string }[];
}

/** The handler, wrapped; `options` are for tests. */
export function createHandler(options?: ComposeOptions) {
  // Once for each container. A failure is not kept: the next invocation tries again.
  let ports: Ports | undefined;
  return middy<unknown, Response>({ timeoutEarlyInMillis: 0 })
    .use(injectLambdaContext(logger))
    .handler(async (event, context) => {
      const remaining = countdown(context.getRemainingTimeInMillis() - RESERVED);
      ports ??= compose(process.env, logger, options);
      return await notify(notesOf(event), remaining, ports).catch(partOf);
    });
}

/** Where some were delivered, now or before, only the others come again. Where none was, the invocation fails, which its alarm sees. */
function partOf(error: unknown): Response {
  if (!(error instanceof NotDelivered) || error.receipts.length === 0) throw error;
  if (error.summary.delivered + error.summary.skipped === 0) throw error;
  return { ...error.summary, batchItemFailures: error.receipts.map((itemIdentifier) => ({ itemIdentifier })) };
}

/** SNS → SQS → Slack: Offpeak's alerts and CloudWatch's alarms. Fails when any message could not be delivered. */
export const handler = createHandler();
