import { getAtt } from './cloudformation.ts';
import type { ResourceOf } from './resource-types.ts';

/** As long as SQS keeps a message: two weeks. */
const MessageRetentionPeriod = 14 * 24 * 3600;

/** A dead-letter queue. */
export function deadLetters(name: string): ResourceOf<'AWS::SQS::Queue'> {
  return {
    Type: 'AWS::SQS::Queue',
    Properties: { QueueName: name, MessageRetentionPeriod, SqsManagedSseEnabled: true },
  };
}

export interface QueueSettings {
  /** Logical id of the dead-letter queue, and the number of tries. */
  readonly deadLettersId: string;
  readonly tries: number;
  /** Seconds after which a message that was not deleted is tried again. */
  readonly again: number;
}

/** A queue in front of a function. */
export function workQueue(name: string, { deadLettersId, tries, again }: QueueSettings): ResourceOf<'AWS::SQS::Queue'> {
  return {
    Type: 'AWS::SQS::Queue',
    Properties: {
      QueueName: name,
      MessageRetentionPeriod,
      VisibilityTimeout: again,
      RedrivePolicy: { deadLetterTargetArn: getAtt(deadLettersId, 'Arn'), maxReceiveCount: tries },
      SqsManagedSseEnabled: true,
    },
  };
}
