import '../../core/adapters/quiet.ts';
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import { openBatchQueue } from '../../core/adapters/aws/batch-queue.ts';
import { countdown } from '../../core/adapters/clock.ts';
import { RESERVED } from '../../core/domain/timings.ts';
import { type Dispatch, dispatch } from '../../core/reconcile/dispatch.ts';
import { failIfUnexpected } from '../../core/reconcile/summary.ts';
import { compose } from '../compose.ts';

const logger = new Logger({ serviceName: 'offpeak-dispatch' });

/** Config and clients, once for each container. A failure is not kept: the next invocation tries again. */
let parts: ReturnType<typeof open> | undefined;

function open() {
  return { ...compose(process.env, logger), queue: openBatchQueue(process.env) };
}

/** The scheduled job of a large fleet: hands out its nodes to the workers. Publishes first; fails afterwards if anything went wrong. */
export const handler = middy<unknown, Omit<Dispatch, 'tick'>>({ timeoutEarlyInMillis: 0 })
  .use(injectLambdaContext(logger))
  .handler(async (_event, context) => {
    const remaining = countdown(context.getRemainingTimeInMillis() - RESERVED);
    parts ??= open();
    const { config, ports, queue } = parts;
    const { tick, ...handedOut } = await dispatch(config, ports, queue, { holder: context.awsRequestId, remaining });
    failIfUnexpected([tick]);
    return handedOut;
  });
