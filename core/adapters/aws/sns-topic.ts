import { PublishCommand, type PublishCommandInput, SNSClient } from '@aws-sdk/client-sns';
import { clientSettings } from './clients.ts';

export function createSnsClient(): SNSClient {
  return new SNSClient(clientSettings('SNS'));
}

/** Publishes one message, by one client for all of them. */
export function openTopic(createClient = createSnsClient): (message: PublishCommandInput) => Promise<unknown> {
  const client = createClient();
  return (message) => client.send(new PublishCommand(message));
}
