import {
  GetSecretValueCommand,
  type GetSecretValueCommandOutput,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { CALL_POLICY, regionFrom } from './clients.ts';
import { SecretUnavailable, secretUnavailable } from './secret-failure.ts';

/**
 * From the environment: region, credentials, and AWS_ENDPOINT_URL when set.
 *
 * @throws AwsEnvironmentError when no region is set or an endpoint is not a URL
 */
function createSecretsManagerClient(): SecretsManagerClient {
  return new SecretsManagerClient({ ...CALL_POLICY, ...regionFrom(process.env, 'SECRETS_MANAGER') });
}

/**
 * Reads secrets in their current version: the whole text, or one top-level key of the JSON object that it is.
 *
 * @throws SecretUnavailable from each call, when there is no such text
 */
export function openSecrets(
  createClient = createSecretsManagerClient,
): (id: string, key: string | undefined) => Promise<string> {
  // Made at the first call: then a missing region is an error of the reference that needs it.
  let client: SecretsManagerClient | undefined;
  return async (id, key) => {
    const what = `the secret ${id}`;
    let answer: GetSecretValueCommandOutput;
    try {
      client ??= createClient();
      answer = await client.send(new GetSecretValueCommand({ SecretId: id }));
    } catch (failure) {
      throw secretUnavailable(what, 'secretsmanager:GetSecretValue', failure);
    }
    return textOf(answer, key, (problem) => {
      throw new SecretUnavailable(`${what}, which the config names, ${problem}`);
    });
  };
}

type Refuse = (problem: string) => never;

function textOf(
  { SecretString, SecretBinary }: GetSecretValueCommandOutput,
  key: string | undefined,
  refuse: Refuse,
): string {
  if (SecretString === undefined)
    return refuse(SecretBinary === undefined ? 'is empty' : 'is binary: store it as text');
  const text = key === undefined ? SecretString : valueAt(SecretString, key, refuse);
  return text === '' ? refuse(key === undefined ? 'is empty' : `has an empty text under ${JSON.stringify(key)}`) : text;
}

function valueAt(secret: string, key: string, refuse: Refuse): string {
  const shown = JSON.stringify(key);
  let document: unknown;
  try {
    document = JSON.parse(secret);
  } catch {
    // The parser's own message quotes the secret.
    return refuse(`is not JSON, so it has no key ${shown}`);
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    return refuse(`is not a JSON object, so it has no key ${shown}`);
  }
  const value: unknown = Object.entries(document).find(([name]) => name === key)?.[1];
  if (value === undefined) return refuse(`has no key ${shown}`);
  return typeof value === 'string' ? value : refuse(`has no text under ${shown}: put the value in quotes`);
}
