import { beforeEach, describe, expect, test, vi } from 'vitest';
import { createTokenSigner } from '../../../../../core/adapters/aws/iam-token.ts';
import type { ManagedGroup } from '../../../../../core/config/iam.ts';
import { askBotocore, testWithBotocore } from '../../../../support/botocore.ts';

const AT = '2026-11-26T01:02:03Z';
const KEY = { key: 'AKIDEXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
/** With each character that encodeURIComponent leaves alone and a signature does not. */
const SESSION = `IQoJb3JpZ2luX2VjE+/A==!'()*~ x`;

interface Case {
  readonly user: string;
  readonly group: ManagedGroup;
  readonly region: string;
  readonly token?: string;
  /** What botocore 1.43.11 makes of it: test/fixtures/botocore/presign.py. */
  readonly expected: string;
}

const CASES: readonly Case[] = [
  {
    user: 'offpeak',
    group: { service: 'elasticache', group: 'carts' },
    region: 'eu-west-1',
    token: SESSION,
    expected:
      'carts/?Action=connect&User=offpeak&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20261126%2Feu-west-1%2Felasticache%2Faws4_request&X-Amz-Date=20261126T010203Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Security-Token=IQoJb3JpZ2luX2VjE%2B%2FA%3D%3D%21%27%28%29%2A~%20x&X-Amz-Signature=a27f5ece750ea1299a8cbe5ec39396d8afcf9e6594570bc4ec50798303818747',
  },
  {
    user: 'default.offpeak',
    group: { service: 'memorydb', group: 'ledger-1' },
    region: 'us-gov-west-1',
    expected:
      'ledger-1/?Action=connect&User=default.offpeak&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20261126%2Fus-gov-west-1%2Fmemorydb%2Faws4_request&X-Amz-Date=20261126T010203Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Signature=8ec675718ab96f50fdafb7ca595f19d036c92dfbbc80b9a261ad443e110406a6',
  },
];

/** Its parts; their order in a query says nothing. */
function partsOf(token: string): readonly string[] {
  const [host = '', query = ''] = token.split('/?');
  return [host, ...query.split('&').toSorted()];
}

function stubAccount({ region, token }: { readonly region?: string; readonly token?: string }): void {
  vi.stubEnv('AWS_ACCESS_KEY_ID', KEY.key);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', KEY.secret);
  vi.stubEnv('AWS_SESSION_TOKEN', token);
  vi.stubEnv('AWS_REGION', region);
}

beforeEach(() => {
  for (const name of ['AWS_PROFILE', 'AWS_DEFAULT_REGION', 'AWS_REGION']) vi.stubEnv(name, undefined);
  return () => vi.unstubAllEnvs();
});

describe('a token of IAM', () => {
  test.each(CASES)('for $user at $group.group has the signature that botocore makes', async (one) => {
    stubAccount(one);
    const token = await createTokenSigner(() => Date.parse(AT))(one.user, one.group);
    expect(partsOf(token)).toEqual(partsOf(one.expected));
  });

  test.each(CASES)('for $group.group in a region of its own is signed for that region', async (one) => {
    stubAccount({ ...one, region: 'ap-southeast-2' });
    const token = await createTokenSigner(() => Date.parse(AT))(one.user, { ...one.group, region: one.region });
    expect(partsOf(token)).toEqual(partsOf(one.expected));
  });

  testWithBotocore(
    'is what the botocore of this machine makes, also of ids that a person would not choose',
    async () => {
      const groups = ['a', 'a-1', `g${'0'.repeat(39)}`];
      const all = ['elasticache', 'memorydb'].flatMap((service) =>
        groups.map((group) => ({ service, group }) as ManagedGroup),
      );
      stubAccount({ region: 'ap-southeast-1', token: SESSION });
      const sign = createTokenSigner(() => Date.parse(AT));
      const tokens = await Promise.all(all.map((group) => sign(`user-${group.group}`, group)));
      const asked = [
        ...CASES.map(({ user, group, region, token }) => ({ user, ...group, region, token })),
        ...all.map((group) => ({ user: `user-${group.group}`, ...group, region: 'ap-southeast-1', token: SESSION })),
      ].map(({ user, group, ...rest }) => {
        const url = `https://${group}/?Action=connect&User=${user}`;
        return { ...rest, ...KEY, url, at: AT, expires: 900 };
      });
      const urls = askBotocore('presign.py', asked) as readonly string[];
      const expected = urls.map((url) => partsOf(url.replace('https://', '')));
      expect([...CASES.map((one) => one.expected), ...tokens].map(partsOf)).toEqual(expected);
    },
  );

  test('is a new one for each connection, valid for 15 minutes from then', async () => {
    stubAccount({ region: 'eu-west-1' });
    let now = Date.parse(AT);
    const sign = createTokenSigner(() => now);
    const group = { service: 'elasticache', group: 'carts' } as const;
    const first = await sign('offpeak', group);
    now += 1_000;
    const second = await sign('offpeak', group);
    expect(first).toContain('X-Amz-Date=20261126T010203Z&X-Amz-Expires=900');
    expect(second).toContain('X-Amz-Date=20261126T010204Z&X-Amz-Expires=900');
  });

  test('without a region, says which variable is missing, and no credentials', async () => {
    stubAccount({});
    const sign = createTokenSigner(() => 0);
    await expect(sign('offpeak', { service: 'memorydb', group: 'ledger' })).rejects.toMatchObject({
      name: 'SecretUnavailable',
      message: expect.stringMatching(
        /^no IAM token can be signed for memorydb ledger: .*AWS_REGION is not set: set it/,
      ),
    });
  });

  test('without credentials, says so', async () => {
    stubAccount({ region: 'eu-west-1' });
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'HOME']) vi.stubEnv(name, undefined);
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent');
    vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent');
    const sign = createTokenSigner(() => 0);
    await expect(sign('offpeak', { service: 'elasticache', group: 'carts' })).rejects.toMatchObject({
      name: 'SecretUnavailable',
      message: expect.stringMatching(/^no IAM token can be signed for elasticache carts: CredentialsProviderError: /),
    });
  });
});
