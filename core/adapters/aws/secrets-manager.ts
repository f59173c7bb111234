import {
  GetSecretValueCommand,
  type GetSecretValueCommandOutput,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { clientSettings } from './clients.ts';
import { secretUnavailable, unusable } from './secret-failure.ts';

/**
 * Reads secrets in their current version: the whole text, or one top-level key of the JSON object that it is.
 *
 * @throws SecretUnavailable from each call, when there is no such text
 */
export function openSecrets(
  createClient = () => new SecretsManagerClient(clientSettings('SECRETS_MANAGER')),
): (id: string, key: string | undefined) => Promise<string> {
  // Made at the first call: where no region is set, the error then names the reference.
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
      throw unusable(what, problem);
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
