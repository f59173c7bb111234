import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createSecretReader, type SecretReader } from '../../../core/adapters/aws/secrets.ts';
import { parseSecretReference, type SecretReference } from '../../../core/config/address.ts';
import type { AwsProxy, FaultKind } from '../../support/aws-proxy.ts';
import { type AwsStandIn, awsStandIn } from '../../support/aws-stand-in.ts';
import { describeWithMoto, type Moto } from '../../support/moto.ts';

const MINUTE = 60_000;

function ref(text: string): SecretReference {
  const reference = parseSecretReference(text);
  if (reference === undefined) throw new Error(`no reference: ${text}`);
  return reference;
}

/** What a read that has to fail says; nowhere in its error may a secret stand. */
async function refusalOf(secrets: SecretReader, reference: string): Promise<string> {
  const error: unknown = await secrets.read(ref(reference)).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ name: 'SecretUnavailable' });
  const { message, stack, cause } = error instanceof Error ? error : new Error('not an error');
  expect(JSON.stringify([message, stack, cause])).not.toContain('hunter2');
  expect(message).toMatch(/^\P{Cc}{1,600}$/u);
  return message;
}

describe('a secret of the environment', () => {
  test('is read as it is now', async () => {
    const env: Record<string, string | undefined> = { PASSWORD: 'one' };
    const secrets = createSecretReader({ env });
    expect(await secrets.read(ref('env:PASSWORD'))).toBe('one');
    env.PASSWORD = 'two';
    expect(await secrets.read(ref('env:PASSWORD'))).toBe('two');
  });

  test.each([{}, { PASSWORD: '' }])('is refused when it is not set: %j', async (env) => {
    const secrets = createSecretReader({ env });
    expect(await refusalOf(secrets, 'env:PASSWORD')).toBe('the environment variable PASSWORD is not set');
  });
});

describeWithMoto('secrets of AWS over HTTP', () => {
  let aws: AwsStandIn;
  let moto: Moto;
  let proxy: AwsProxy;
  let ssm: SSMClient;
  let secretsManager: SecretsManagerClient;
  let now: number;
  let secrets: SecretReader;

  beforeAll(async () => {
    aws = await awsStandIn();
    ({ moto, proxy } = aws);
    ssm = new SSMClient({});
    secretsManager = new SecretsManagerClient({});
  });
  afterAll(async () => {
    for (const client of [ssm, secretsManager]) client?.destroy();
    await aws?.[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await moto.reset();
    now = Date.parse('2026-11-24T01:14:05Z');
    secrets = createSecretReader({ env: {}, now: () => now });
    proxy.clear();
  });

  const putParameter = (Name: string, Value: string, Type: 'SecureString' | 'String' | 'StringList' = 'SecureString') =>
    ssm.send(new PutParameterCommand({ Name, Value, Type, Overwrite: true }));
  const createSecret = (Name: string, SecretString: string) =>
    secretsManager.send(new CreateSecretCommand({ Name, SecretString }));
  const calls = (operation: string) => proxy.requests.filter((request) => request.operation === operation).length;

  describe('a parameter of SSM', () => {
    test('is read decrypted', async () => {
      await putParameter('/redis/password', 'hunter2');
      expect(await secrets.read(ref('ssm:/redis/password'))).toBe('hunter2');
      const request = proxy.requests.find(({ operation }) => operation === 'GetParameter');
      expect(request?.input).toEqual({ Name: '/redis/password', WithDecryption: true });
    });

    test('that is not encrypted serves as well: a certificate is no secret', async () => {
      await putParameter('/redis/ca', '-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n', 'String');
      expect(await secrets.read(ref('ssm:/redis/ca'))).toMatch(/^-----BEGIN/);
    });

    test('that is a list is refused', async () => {
      await putParameter('/redis/list', 'hunter2,b', 'StringList');
      expect(await refusalOf(secrets, 'ssm:/redis/list')).toBe(
        'the SSM parameter /redis/list is a StringList: store it as a SecureString',
      );
    });

    test('that is not there', async () => {
      expect(await refusalOf(secrets, 'ssm:/redis/none')).toBe(
        'the SSM parameter /redis/none does not exist in this account and region',
      );
    });
  });

  describe('a secret of Secrets Manager', () => {
    test.each([
      ['hunter2', 'secretsmanager:redis', 'hunter2'],
      ['{"password":"hunter2"}', 'secretsmanager:redis', '{"password":"hunter2"}'],
      ['{"password":"hunter2","user":"u"}', 'secretsmanager:redis#password', 'hunter2'],
      ['{"__proto__":"hunter2"}', 'secretsmanager:redis#__proto__', 'hunter2'],
    ])('%s, read as %s', async (stored, reference, secret) => {
      await createSecret('redis', stored);
      expect(await secrets.read(ref(reference))).toBe(secret);
    });

    test('is found by its ARN', async () => {
      const { ARN } = await createSecret('redis', 'hunter2');
      expect(await secrets.read(ref(`secretsmanager:${ARN}`))).toBe('hunter2');
    });

    test.each([
      ['{"user":"hunter2"}', '#password', 'has no key "password"'],
      ['{"user":"hunter2"}', '#constructor', 'has no key "constructor"'],
      ['hunter2', '#password', 'is not JSON, so it has no key "password"'],
      ['{"password":"hunter2"', '#password', 'is not JSON, so it has no key "password"'],
      ['["hunter2"]', '#0', 'is not a JSON object, so it has no key "0"'],
      ['null', '#password', 'is not a JSON object, so it has no key "password"'],
      ['{"password":1234}', '#password', 'has no text under "password": put the value in quotes'],
      ['{"password":{"is":"hunter2"}}', '#password', 'has no text under "password": put the value in quotes'],
      ['{"password":""}', '#password', 'has an empty text under "password"'],
    ])('%s with %s is refused', async (stored, key, problem) => {
      await createSecret('redis', stored);
      expect(await refusalOf(secrets, `secretsmanager:redis${key}`)).toBe(`the secret redis ${problem}`);
    });

    test('that is binary is refused', async () => {
      const SecretBinary = new TextEncoder().encode('hunter2');
      await secretsManager.send(new CreateSecretCommand({ Name: 'binary', SecretBinary }));
      expect(await refusalOf(secrets, 'secretsmanager:binary')).toBe('the secret binary is binary: store it as text');
    });

    test('that is not there', async () => {
      expect(await refusalOf(secrets, 'secretsmanager:none#password')).toBe(
        'the secret none does not exist in this account and region',
      );
    });
  });

  describe.each([
    ['ssm:/redis/password', 'GetParameter', 'the SSM parameter /redis/password', 'ssm:GetParameter'],
    ['secretsmanager:redis', 'GetSecretValue', 'the secret redis', 'secretsmanager:GetSecretValue'],
  ])('when the service fails: %s', (reference, operation, what, permission) => {
    beforeEach(async () => {
      await putParameter('/redis/password', 'hunter2');
      await createSecret('redis', 'hunter2');
      secrets = createSecretReader({ env: {}, now: () => now });
      proxy.clear();
    });

    test.each<[FaultKind, string | RegExp]>([
      ['deny', `may not be read: allow this role ${permission}, and kms:Decrypt on its key`],
      ['throttle', /^cannot be read: Throttling.*Rate exceeded \(tried 3 times\)$/],
      ['error', /^cannot be read: InternalFailure.*\(tried 3 times\)$/],
      ['reset', /^cannot be read: .*(ECONNRESET|socket hang up)/],
      // The parser's own words quote the answer, and with it the secret.
      ['garble', /^cannot be read: SyntaxError$/],
    ])('%s is told, and not kept', async (kind, words) => {
      proxy.fault({ operation, kind });
      const message = await refusalOf(secrets, reference);
      expect(message.startsWith(`${what} `)).toBe(true);
      expect(message.slice(`${what} `.length)).toMatch(words);
      proxy.clear();
      expect(await secrets.read(ref(reference))).toBe('hunter2');
    });

    test('a missing region is told', async () => {
      vi.stubEnv('AWS_REGION', '');
      vi.stubEnv('AWS_DEFAULT_REGION', '');
      const message = await refusalOf(secrets, reference);
      expect(message).toMatch(/ cannot be read: AWS_REGION is not set: set it/);
      vi.stubEnv('AWS_REGION', 'eu-west-1');
      expect(await secrets.read(ref(reference))).toBe('hunter2');
    });

    test('it is read once for 15 minutes, however many ask at the same time', async () => {
      const read = () => secrets.read(ref(reference));
      expect(new Set(await Promise.all([read(), read(), read()]))).toEqual(new Set(['hunter2']));
      now += 15 * MINUTE - 1;
      await read();
      expect(calls(operation)).toBe(1);
      now += 1;
      await read();
      expect(calls(operation)).toBe(2);
    });

    test('what is forgotten is read again, unless it is newer than the doubt', async () => {
      await secrets.read(ref(reference));
      secrets.forget(ref(reference), now);
      await secrets.read(ref(reference));
      expect(calls(operation)).toBe(1);
      secrets.forget(ref(reference), now + 1);
      await secrets.read(ref(reference));
      expect(calls(operation)).toBe(2);
      secrets.forget(ref(reference));
      await secrets.read(ref(reference));
      expect(calls(operation)).toBe(3);
    });
  });

  test('two keys of one secret are two secrets', async () => {
    await createSecret('redis', '{"a":"1","b":"2"}');
    expect(await secrets.read(ref('secretsmanager:redis#a'))).toBe('1');
    expect(await secrets.read(ref('secretsmanager:redis#b'))).toBe('2');
  });

  test('a rotated secret is the new one after the time', async () => {
    await createSecret('redis', 'old');
    expect(await secrets.read(ref('secretsmanager:redis'))).toBe('old');
    await secretsManager.send(new PutSecretValueCommand({ SecretId: 'redis', SecretString: 'new' }));
    expect(await secrets.read(ref('secretsmanager:redis'))).toBe('old');
    now += 15 * MINUTE;
    expect(await secrets.read(ref('secretsmanager:redis'))).toBe('new');
  });

  test('F19: a clock that was set back keeps no secret for longer', async () => {
    await createSecret('redis', 'old');
    expect(await secrets.read(ref('secretsmanager:redis'))).toBe('old');
    await secretsManager.send(new PutSecretValueCommand({ SecretId: 'redis', SecretString: 'new' }));
    now -= 60 * MINUTE;
    expect(await secrets.read(ref('secretsmanager:redis'))).toBe('new');
  });

  test('clients are made with the first reference of their kind, once', async () => {
    await putParameter('/a', '1');
    await putParameter('/b', '2');
    const [makeSsm, makeSecretsManager] = [vi.fn(() => ssm), vi.fn(() => secretsManager)];
    const own = createSecretReader({ env: { A: 'x' }, ssm: makeSsm, secretsManager: makeSecretsManager });
    await own.read(ref('env:A'));
    expect(makeSsm).not.toHaveBeenCalled();
    await Promise.all([own.read(ref('ssm:/a')), own.read(ref('ssm:/b'))]);
    expect(makeSsm).toHaveBeenCalledTimes(1);
    expect(makeSecretsManager).not.toHaveBeenCalled();
  });
});
