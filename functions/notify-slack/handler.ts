import '../../core/adapters/quiet.ts';
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import { countdown } from '../../core/adapters/clock.ts';
import { type Milliseconds, SECOND } from '../../core/config/units.ts';
import { type ComposeOptions, compose } from './compose.ts';
import { notify, type Ports, type Shown } from './notify.ts';
import { noteOf } from './record.ts';

const logger = new Logger({ serviceName: 'offpeak-notify-slack' });

/** For the last log lines, and for the error, before Lambda ends the invocation. */
const RESERVED: Milliseconds = SECOND;

/** The handler, wrapped; `options` are for tests. */
export function createHandler(options?: ComposeOptions) {
  // Once for each container. A failure is not kept: the next invocation tries again.
  let ports: Ports | undefined;
  return middy<unknown, Shown>({ timeoutEarlyInMillis: 0 })
    .use(injectLambdaContext(logger))
    .handler(async (event, context) => {
      const remaining = countdown(context.getRemainingTimeInMillis() - RESERVED);
      const note = noteOf(event);
      ports ??= compose(process.env, logger, options);
      return await notify(note, remaining, ports);
    });
}

/** SNS → SQS → Slack: one alert of Offpeak or one alarm of CloudWatch. An invocation that fails leaves the message in the queue. */
export const handler = createHandler();
