import '../../core/adapters/quiet.ts';
import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { PartialItemFailureResponse } from '@aws-lambda-powertools/batch/types';
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import { countdown } from '../../core/adapters/clock.ts';
import { RESERVED } from '../../core/domain/timings.ts';
import { work } from '../../core/reconcile/work.ts';
import { compose } from '../compose.ts';

const logger = new Logger({ serviceName: 'offpeak-work' });
const processor = new BatchProcessor(EventType.SQS);

/** Config and clients, once for each container. A failure is not kept: the next invocation tries again. */
let parts: ReturnType<typeof compose> | undefined;

/** A worker: checks the nodes of each message. A message that fails goes to the dead letters, and the others of the event are done. */
export const handler = middy<SQSEvent, PartialItemFailureResponse>({ timeoutEarlyInMillis: 0 })
  .use(injectLambdaContext(logger))
  .handler(async (event, context) => {
    const remaining = countdown(context.getRemainingTimeInMillis() - RESERVED);
    parts ??= compose(process.env, logger);
    const { config, ports } = parts;
    const check = async ({ body, messageId }: SQSRecord) => {
      try {
        await work(body, config, ports, { holder: context.awsRequestId, remaining });
      } catch (error) {
        // Where other messages of the event succeed, Lambda does not print it.
        logger.error('batch failed', { messageId, error });
        throw error;
      }
    };
    return await processPartialResponse(event, check, processor, { context });
  });
