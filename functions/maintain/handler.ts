import { RESERVED } from '../../core/domain/timings.ts';
import '../../core/adapters/quiet.ts';
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import { countdown } from '../../core/adapters/clock.ts';
import { pollLeases } from '../../core/reconcile/poll-leases.ts';
import { WHOLE_FLEET } from '../../core/reconcile/scope.ts';
import { failIfUnexpected, type Summary, summarize } from '../../core/reconcile/summary.ts';
import { compose } from '../compose.ts';

const logger = new Logger({ serviceName: 'offpeak' });

/** Config and clients, once for each container. A failure is not kept: the next invocation tries again. */
let parts: ReturnType<typeof compose> | undefined;

/** The scheduled job. Publishes first; fails afterwards if anything went wrong that is not of the world. */
export const handler = middy<unknown, Summary>({ timeoutEarlyInMillis: 0 })
  .use(injectLambdaContext(logger))
  .handler(async (_event, context) => {
    const remaining = countdown(context.getRemainingTimeInMillis() - RESERVED);
    parts ??= compose(process.env, logger);
    const { config, ports } = parts;
    const ticks = await pollLeases(config, ports, {
      mode: 'act',
      scope: WHOLE_FLEET,
      holder: context.awsRequestId,
      remaining,
    });
    failIfUnexpected(ticks);
    return summarize(ticks);
  });
