import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createNames } from '../dns/names.ts';
import { AwsEnvironmentError } from './failure.ts';

/**
 * Names of AWS are resolved apart from those of nodes, and without `getaddrinfo` as well: a name that hangs, of a node or of another service,
 * does not delay the metrics. Each client has sockets of its own, one for every instance that is reconciled at once: a call that waits
 * for a socket times out like one that waits for a connection.
 */
const AGENT = { lookup: createNames().lookup, keepAlive: true, maxSockets: 64 } as const;

/**
 * Time-outs and retries of every AWS client. A VPC without an endpoint for the service never answers a connection attempt, and by
 * default the SDK waits without a limit; these settings end such a call after about 10 s, back-off included. Throttling, 5xx,
 * resets and time-outs are tried again, so a request whose answer was lost can count twice.
 */
export const CALL_POLICY = {
  maxAttempts: 3,
  retryMode: 'standard',
  // Without throwOnRequestTimeout the SDK only logs a warning at requestTimeout and goes on waiting.
  requestHandler: {
    connectionTimeout: 2_000,
    requestTimeout: 3_000,
    throwOnRequestTimeout: true,
    httpAgent: AGENT,
    httpsAgent: AGENT,
  },
} as const;

export function createCloudWatchClient(): CloudWatchClient {
  return new CloudWatchClient(clientSettings('CLOUDWATCH'));
}

export function createDynamoClient(): DynamoDBClient {
  return new DynamoDBClient(clientSettings('DYNAMODB'));
}

/** The services, as the SDK writes them in AWS_ENDPOINT_URL_<service>. */
type Service =
  | 'CLOUDWATCH'
  | 'SNS'
  | 'SQS'
  | 'DYNAMODB'
  | 'SSM'
  | 'SECRETS_MANAGER'
  | 'ELASTICACHE'
  | 'MEMORYDB'
  | 'RESOURCE_GROUPS_TAGGING_API';

/**
 * What each client is made with: the policy of calls, and the region, that of the environment unless it is named. The SDK itself reads
 * credentials, and AWS_ENDPOINT_URL when it is set. @throws AwsEnvironmentError see `regionFrom`
 */
export function clientSettings(service: Service, named?: string) {
  return { ...CALL_POLICY, ...regionFrom(process.env, service, named) };
}

/** @throws AwsEnvironmentError when no region is set or an endpoint is not a URL */
export function regionFrom(env: NodeJS.ProcessEnv, service: Service, named?: string): { region?: string } {
  checkEndpoint(env, `AWS_ENDPOINT_URL_${service}`);
  checkEndpoint(env, 'AWS_ENDPOINT_URL');
  const region = named ?? regionOf(env);
  return region === undefined ? {} : { region };
}

/** Undefined: it stands in the profile. @throws AwsEnvironmentError when no region is set */
export function regionOf(env: NodeJS.ProcessEnv): string | undefined {
  // The CLI's AWS_DEFAULT_REGION is not read by this SDK, but it is what many shells have.
  const region = env.AWS_REGION || env.AWS_DEFAULT_REGION;
  // The profile's region is in a file, which the SDK reads at the first call.
  if (region || env.AWS_PROFILE) return region || undefined;
  throw new AwsEnvironmentError('AWS_REGION is not set: set it (for example AWS_REGION=eu-west-1), or AWS_PROFILE');
}

function checkEndpoint(env: NodeJS.ProcessEnv, key: string): void {
  const value = env[key];
  if (!value || /^https?:$/.test(URL.parse(value)?.protocol ?? '')) return;
  throw new AwsEnvironmentError(`${key}=${value} is not a URL: set it to http://host:port or https://host:port`);
}
