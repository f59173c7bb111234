import '../shared/quiet.ts';
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import { type Milliseconds, SECOND } from '../shared/config/units.ts';
import { countdown } from '../shared/countdown.ts';
import { compose } from './compose.ts';
import { tickAndFollow } from './follow.ts';
import { failIfUnexpected, type Summary, summarize } from './summary.ts';

const logger = new Logger({ serviceName: 'offpeak' });

/** Publishing waits up to ten seconds for a dead endpoint; the rest is for closing connections. */
const RESERVED: Milliseconds = 15 * SECOND;

/** Config and clients, once for each container. A failure is not kept: the next invocation tries again. */
let parts: ReturnType<typeof compose> | undefined;

/** The scheduled job. Publishes first; fails afterwards if anything went wrong that is not of the world. */
export const handler = middy<unknown, Summary>({ timeoutEarlyInMillis: 0 })
  .use(injectLambdaContext(logger))
  .handler(async (_event, context) => {
    const remaining = countdown(context.getRemainingTimeInMillis() - RESERVED);
    parts ??= compose(process.env, logger);
    const { config, ports } = parts;
    const ticks = await tickAndFollow(config, ports, {
      mode: 'act',
      holder: context.awsRequestId,
      remaining,
    });
    failIfUnexpected(ticks);
    return summarize(ticks);
  });
