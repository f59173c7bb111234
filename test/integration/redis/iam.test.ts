import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RunningServer } from '../../../cli/lab/start.ts';
import { createTokenSigner } from '../../../core/adapters/aws/iam-token.ts';
import { systemClock } from '../../../core/adapters/clock.ts';
import { createPorts } from '../../../core/compose.ts';
import type { ManagedGroup } from '../../../core/config/iam.ts';
import type { Outcome } from '../../../core/domain/outcome.ts';
import { type Authority, anAuthority } from '../../support/certificates.ts';
import { clientOf } from '../../support/fragmented.ts';
import { aJob, closedWindow, configOf } from '../../support/job.ts';
import { lacksServer, plainServer } from '../../support/servers.ts';
import { openTlsPort } from '../../support/tls-port.ts';

const AT = Date.parse('2026-11-26T01:02:03Z');
const ACCOUNT = {
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  AWS_SESSION_TOKEN: 'IQoJb3JpZ2luX2VjE+/A==',
};
const CARTS = { service: 'elasticache', group: 'carts' } as const;

describe.skipIf(lacksServer('plain'))('sign-in with IAM, on a server that has one token as a password', () => {
  let authority: Authority;
  let server: RunningServer;
  let admin: Redis;
  let port: number | undefined;
  let now: number;

  beforeAll(async () => {
    authority = anAuthority();
    server = await plainServer();
    admin = clientOf(server);
    port = await openTlsPort(admin, authority, 'no');
  });
  afterAll(async () => {
    admin?.disconnect();
    await server?.stop();
    authority?.[Symbol.dispose]();
  });
  beforeEach(() => {
    for (const [name, value] of Object.entries(ACCOUNT)) vi.stubEnv(name, value);
    now = AT;
  });
  afterEach(() => vi.unstubAllEnvs());

  /** AWS' side: it accepts what the account's credentials have signed for this moment. */
  async function accept(user: string, group: ManagedGroup): Promise<string> {
    const token = await createTokenSigner(() => AT)(user, group);
    await admin.call('ACL', 'SETUSER', user, 'reset', 'on', `>${token}`, '+info', '+ping', '+client|setname');
    return token;
  }

  const yaml = (credentials: string) =>
    `instances:\n  - id: it\n    url: rediss://127.0.0.1:${port}\n    tls: { ca: "env:CA" }\n    credentials: ${credentials}${closedWindow()}\n`;

  async function check(credentials: string): Promise<{ readonly outcome: Outcome | undefined; readonly all: string }> {
    const clock = { ...systemClock(), now: () => now };
    using job = aJob(yaml(credentials), { clock, env: { CA: authority.ca } });
    const { outcomes } = await job.tick({ mode: 'watch' });
    return { outcome: outcomes[0], all: JSON.stringify([outcomes, job.logs, job.metrics, job.alerts]) };
  }

  test('each connection sends its own token, in lower case whatever the case in the config', async (context) => {
    if (port === undefined) return context.skip('this redis-server is built without TLS');
    await accept('offpeak', CARTS);
    const { outcome } = await check('{ username: OffPeak, iam: { elasticache: Carts } }');
    expect(outcome).toMatchObject({ kind: 'observed' });
    await accept('offpeak', { service: 'memorydb', group: 'carts' });
    expect((await check('{ username: offpeak, iam: { memorydb: carts } }')).outcome).toMatchObject({
      kind: 'observed',
    });
  });

  test('a token that is refused names what AWS checks; the token itself is nowhere', async (context) => {
    if (port === undefined) return context.skip('this redis-server is built without TLS');
    await accept('offpeak', CARTS);
    now = AT + 1_000;
    const { outcome, all } = await check('{ username: offpeak, iam: { elasticache: carts } }');
    expect(outcome).toMatchObject({
      kind: 'unreachable',
      problem: {
        kind: 'wrong-credentials',
        message: expect.stringMatching(
          /^the server refused the IAM token: WRONGPASS\. Check that the user has authentication by IAM, and that its name is its id; .* replication group carts .*Valkey 7\.2, Redis 7\.0.*elasticache:Connect.*clock/,
        ),
      },
    });
    expect(all).not.toMatch(/X-Amz|AKIDEXAMPLE|Action=connect/);
  });

  test('without credentials of AWS it is a problem of the config, and the server is not asked', async (context) => {
    if (port === undefined) return context.skip('this redis-server is built without TLS');
    vi.stubEnv('AWS_REGION', '');
    vi.stubEnv('AWS_DEFAULT_REGION', '');
    const { outcome } = await check('{ username: offpeak, iam: { elasticache: carts } }');
    expect(outcome).toMatchObject({
      kind: 'config-problem',
      problem: { message: expect.stringMatching(/^no IAM token can be signed for elasticache carts: .*AWS_REGION/) },
    });
  });

  test.each([
    ['finds the group', CARTS, 'ok'],
    ['finds no group', undefined, /names no group of elasticache, and discovery has found these nodes in none/],
    ['finds a group of the other service', { ...CARTS, service: 'memorydb' }, /Write iam: \{ elasticache/],
  ] as const)('without a group in the config, where discovery %s', async (_what, group, expected) => {
    if (port === undefined) return;
    await accept('offpeak', CARTS);
    const { ports, instance, node } = opened();
    const managed = group && { ...group, region: ACCOUNT.AWS_REGION, status: 'available' };
    const found = { by: 'carts', group: 'carts/carts', ...(managed && { managed }) };
    const credentials = { username: 'offpeak', iam: { service: 'elasticache' } } as const;
    const session = ports.open({ ...instance, credentials, found }, node);
    if (expected !== 'ok')
      return await expect(session).rejects.toMatchObject({
        kind: 'config-problem',
        message: expect.stringMatching(expected),
      });
    const open = await session;
    expect((await open.look()).node).toBe(node.id);
    open.close();
  });

  /** The port itself: the config alone does not accept what only discovery can complete. */
  function opened() {
    const [instance] = configOf(yaml('{ username: offpeak, iam: { elasticache: carts } }')).instances;
    const [node] = instance?.nodes ?? [];
    if (instance === undefined || node === undefined) throw new Error('no instance');
    using job = aJob(yaml('{ username: offpeak, iam: { elasticache: carts } }'));
    const clock = { ...systemClock(), now: () => now };
    return { ports: createPorts({ ...job.ports, clock, env: { CA: authority.ca } }), instance, node };
  }
});
