/** A message that was published to the topic: Slack's message is made from it. */
export interface Note {
  /** SNS' own: the same for each delivery of it. */
  readonly messageId: string;
  readonly message: string;
  readonly subject?: string | undefined;
  readonly topicArn?: string | undefined;
  /** ISO 8601. */
  readonly timestamp?: string | undefined;
}
