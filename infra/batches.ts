import { usesQueue, workersOf } from '../core/config/fleet.ts';
import type { Config } from '../core/config/schema.ts';
import { HOUR, SECOND } from '../core/config/units.ts';
import { getAtt, type Resources } from './cloudformation.ts';
import { jobTimeout } from './functions.ts';
import { ID, stackName } from './names.ts';
import { queue } from './notifier.ts';

/** Messages of one invocation: with 50 nodes each, 200 nodes side by side. */
export const MESSAGES_AT_ONCE = 4;

/** By then the next ticks have handed out the same nodes; what is older than one tick is dropped by the workers. */
const KEPT = HOUR;

/** What is between the dispatch and its workers: nothing where one function does all. */
export function batches(config: Config): Resources {
  if (!usesQueue(config)) return {};
  return {
    [ID.batchQueue]: queue(stackName(config.stage, 'batches'), {
      MessageRetentionPeriod: KEPT / SECOND,
      // No message comes back while its worker may still be at it.
      VisibilityTimeout: (2 * jobTimeout(config, 'work')) / SECOND,
      // Once: the next tick hands out the same nodes before a message could come back. What fails is for people.
      RedrivePolicy: { deadLetterTargetArn: getAtt(ID.batchDeadLetters, 'Arn'), maxReceiveCount: 1 },
    }),
    [ID.batchDeadLetters]: queue(stackName(config.stage, 'batches-dead-letters')),
    BatchQueueSource: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: {
        EventSourceArn: getAtt(ID.batchQueue, 'Arn'),
        FunctionName: getAtt(ID.work, 'Arn'),
        BatchSize: MESSAGES_AT_ONCE,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        ScalingConfig: { MaximumConcurrency: workersOf(config) },
      },
    },
  };
}
