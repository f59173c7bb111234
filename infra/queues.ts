import type { Resource } from './cloudformation.ts';

/** What was given up, for as long as SQS keeps it: two weeks. */
export function deadLetters(name: string): Resource {
  const MessageRetentionPeriod = 14 * 24 * 3600;
  return {
    Type: 'AWS::SQS::Queue',
    Properties: { QueueName: name, MessageRetentionPeriod, SqsManagedSseEnabled: true },
  };
}
