import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createCloudWatchClient, createDynamoClient } from '../../../../../core/adapters/aws/clients.ts';
import { createSnsClient } from '../../../../../core/adapters/aws/sns-topic.ts';

const CLIENTS = [
  { name: 'CloudWatch', create: createCloudWatchClient },
  { name: 'SNS', create: createSnsClient },
  { name: 'DynamoDB', create: createDynamoClient },
] as const;

beforeEach(() => {
  for (const key of ['AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_PROFILE', 'AWS_ENDPOINT_URL']) vi.stubEnv(key, '');
  vi.stubEnv('AWS_CONFIG_FILE', '/dev/null');
});
afterEach(() => {
  vi.unstubAllEnvs();
});

describe.each(CLIENTS)('the $name client', ({ create }) => {
  test('without a region it says what to set, before any call', () => {
    expect(create).toThrow('AWS_REGION is not set: set it (for example AWS_REGION=eu-west-1), or AWS_PROFILE');
  });

  test.each(['AWS_REGION', 'AWS_DEFAULT_REGION'])('takes the region from %s', async (key) => {
    vi.stubEnv(key, 'eu-central-1');
    expect(await create().config.region()).toBe('eu-central-1');
  });

  test('leaves the region to the profile, where there is one', () => {
    vi.stubEnv('AWS_PROFILE', 'ops');
    expect(create).not.toThrow();
  });

  test.each(['localhost:5000', 'ftp://host', 'nonsense'])('refuses AWS_ENDPOINT_URL=%s', (value) => {
    vi.stubEnv('AWS_REGION', 'eu-west-1');
    vi.stubEnv('AWS_ENDPOINT_URL', value);
    expect(create).toThrow(`AWS_ENDPOINT_URL=${value} is not a URL: set it to http://host:port or https://host:port`);
  });

  test('tries three times in the standard mode', async () => {
    vi.stubEnv('AWS_REGION', 'eu-west-1');
    vi.stubEnv('AWS_MAX_ATTEMPTS', '9');
    const { config } = create();
    expect(await config.maxAttempts()).toBe(3);
    const mode = typeof config.retryMode === 'function' ? await config.retryMode() : config.retryMode;
    expect(mode).toBe('standard');
  });
});
