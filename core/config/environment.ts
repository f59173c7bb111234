/**
 * The environment variables that the deployed functions read: written here once, for the function that reads them and for the
 * infrastructure that sets them.
 */
export const ENVIRONMENT = {
  /** The stage, a dimension of every metric; also names the config file. */
  stage: 'STAGE',
  /** Path of the config file; `config/<stage>.yml` by default. */
  configFile: 'CONFIG_FILE',
  /** The DynamoDB table with leases and node histories; exactly one of it and `stateFile` is set. */
  stateTable: 'STATE_TABLE',
  /** Path of the file with leases and node histories. */
  stateFile: 'STATE_FILE',
  /** The SNS topic for alerts. */
  alertTopicArn: 'ALERT_TOPIC_ARN',
  /** The address of the queue of batches; only of the dispatch. */
  batchQueueUrl: 'BATCH_QUEUE_URL',
  /** Reference to the address of Slack's incoming webhook; never the address itself. */
  slackWebhook: 'SLACK_WEBHOOK',
  /** The lowest severity that is posted to Slack; info when not set. */
  slackFrom: 'SLACK_FROM',
  /** https address of the dashboard, linked in Slack's messages; none when not set. */
  dashboardUrl: 'DASHBOARD_URL',
  /** https address of the runbook, linked in mails and Slack's messages, to which #anchor is added; none when not set. */
  runbookUrl: 'RUNBOOK_URL',
} as const;

/** Of the command line: the password of servers that are named by their addresses, as redis-cli reads it. */
export const PASSWORD_VARIABLE = 'REDISCLI_AUTH';

/** A required variable is not set. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
}

/** @throws {EnvironmentError} naming the variable and what it is for. */
export function required(env: Readonly<Record<string, string | undefined>>, name: string, purpose: string): string {
  const value = env[name];
  if (!value) throw new EnvironmentError(`${name} is not set: set it to ${purpose}`);
  return value;
}
