import { PublishCommand, type PublishCommandInput, SNSClient } from '@aws-sdk/client-sns';
import { CALL_POLICY, regionFrom } from './clients.ts';

/**
 * From the environment: region, credentials, and AWS_ENDPOINT_URL when set.
 *
 * @throws AwsEnvironmentError when no region is set or an endpoint is not a URL
 */
export function createSnsClient(): SNSClient {
  return new SNSClient({ ...CALL_POLICY, ...regionFrom(process.env, 'SNS') });
}

/** Publishes one message, by one client for all of them. */
export function openTopic(createClient = createSnsClient): (message: PublishCommandInput) => Promise<unknown> {
  const client = createClient();
  return (message) => client.send(new PublishCommand(message));
}
