import { join } from 'node:path';
import { build } from 'esbuild';
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { withoutUnusedParts } from '../../infra/unused-parts.ts';
import { roleEndpoint } from '../support/role-endpoint.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const KEYS = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'] as const;
const ELSEWHERE = [
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_PROFILE',
] as const;

/** A client as it is packaged: which keys it signs with. */
type Signer = () => Promise<{
  readonly accessKeyId: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}>;
let packaged: { signer(): Signer };
let inputs: readonly string[];

beforeAll(async () => {
  const { outputFiles, metafile } = await build({
    absWorkingDir: ROOT,
    stdin: {
      contents: `
        import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
        export const signer = () => new DynamoDBClient({ region: 'eu-west-1' }).config.credentials;`,
      resolveDir: ROOT,
    },
    bundle: true,
    format: 'esm',
    platform: 'node',
    mainFields: ['module', 'main'],
    write: false,
    metafile: true,
    plugins: [withoutUnusedParts],
  });
  packaged = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0]?.text ?? '')}`);
  inputs = Object.keys(metafile.inputs);
});
beforeEach(() => {
  for (const name of [...KEYS, ...ELSEWHERE]) vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

test('profiles, SSO, processes, web identities and instance roles are not in the bundle, nor the clients that they need', () => {
  const unused = /credential-provider-(ini|sso|login|process|web-identity|imds)|nested-clients|token-providers/;
  expect(inputs.filter((path) => unused.test(path))).toEqual([]);
});

test("a function's role is in its environment, and a profile there is of no effect", async () => {
  for (const name of KEYS) vi.stubEnv(name, `role-${name}`);
  vi.stubEnv('AWS_PROFILE', 'a-developers');
  await expect(packaged.signer()()).resolves.toMatchObject({
    accessKeyId: 'role-AWS_ACCESS_KEY_ID',
    sessionToken: 'role-AWS_SESSION_TOKEN',
  });
});

test('or where AWS_CONTAINER_CREDENTIALS_FULL_URI leads, as under SnapStart; asked for once, and again when they are about to expire', async () => {
  await using role = await roleEndpoint([60, 1, 60]);
  vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', role.url);
  vi.stubEnv('AWS_CONTAINER_AUTHORIZATION_TOKEN', 'Basic of-the-container');
  const lasting = packaged.signer();
  expect((await lasting()).accessKeyId).toBe('key-1');
  expect((await lasting()).accessKeyId).toBe('key-1');
  const ending = packaged.signer();
  expect((await ending()).accessKeyId).toBe('key-2');
  await ending();
  await vi.waitFor(async () => expect((await ending()).accessKeyId).toBe('key-3'));
  expect(role.asked).toEqual(Array(3).fill('Basic of-the-container'));
});

test.each([
  ['nothing says where they are', {}],
  ['a profile does', { AWS_PROFILE: 'a-developers' }],
  ['half of them is there', { AWS_ACCESS_KEY_ID: 'half' }],
])('an error says where credentials are looked for when %s', async (_, env) => {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  await expect(packaged.signer()()).rejects.toMatchObject({
    name: 'CredentialsProviderError',
    message: expect.stringMatching(/^no AWS credentials: .*AWS_ACCESS_KEY_ID.*AWS_CONTAINER_CREDENTIALS_FULL_URI/),
  });
});
