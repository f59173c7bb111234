import { readFileSync } from 'node:fs';
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import { createSecretReader } from '../../core/adapters/aws/secrets.ts';
import type { Outcome } from '../../core/domain/outcome.ts';
import type { AwsProxy } from '../support/aws-proxy.ts';
import { type AwsStandIn, awsStandIn } from '../support/aws-stand-in.ts';
import { aJob, configYaml, type Job, OPEN, SMALL_FLOORS } from '../support/job.ts';
import { describeWithMoto } from '../support/moto.ts';
import { lacksServer, plainServer } from '../support/servers.ts';

const OLD = 'correct-horse-old';
const NEW = 'battery-staple-new';
const CREDENTIALS = `
    credentials: { password: "secretsmanager:redis#password" }`;

describeWithMoto('a password that is rotated while the job is deployed', () => {
  describe.skipIf(lacksServer('plain'))('on a real server', () => {
    let aws: AwsStandIn;
    let proxy: AwsProxy;
    let vault: SecretsManagerClient;
    let server: RunningServer;
    let admin: Redis;
    let job: Job;

    beforeAll(async () => {
      aws = await awsStandIn();
      proxy = aws.proxy;
      vault = new SecretsManagerClient({});
      await vault.send(new CreateSecretCommand({ Name: 'redis', SecretString: '{}' }));
    });
    afterAll(async () => {
      vault?.destroy();
      await aws?.[Symbol.asyncDispose]();
    });
    beforeEach(async () => {
      server = await plainServer({ args: ['--requirepass', OLD] });
      admin = new Redis(server.port, { host: server.host, password: OLD, protocol: 2 });
      await store(OLD);
      job = aJob(configYaml(server.port, `${CREDENTIALS}${OPEN}${SMALL_FLOORS}`), {
        secrets: createSecretReader({ env: {} }),
      });
      proxy.clear();
    });
    afterEach(async () => {
      job[Symbol.dispose]();
      admin.disconnect();
      await server.stop();
    });

    const store = (password: string) =>
      vault.send(new PutSecretValueCommand({ SecretId: 'redis', SecretString: JSON.stringify({ password }) }));
    const rotate = async (password: string) => {
      await store(password);
      await admin.config('SET', 'requirepass', password);
      proxy.clear();
    };
    const reads = () => proxy.requests.filter(({ operation }) => operation === 'GetSecretValue').length;
    /** How many sign-ins the server has refused. */
    const refused = async () =>
      Number(/^cmdstat_auth:.*failed_calls=(\d+)/m.exec(await admin.info('commandstats'))?.[1]);

    async function visit(): Promise<Outcome | undefined> {
      const tick = await job.tick();
      const state = (() => {
        try {
          return readFileSync(job.stateFile, 'utf8');
        } catch {
          return '';
        }
      })();
      const everything = JSON.stringify([tick, job.logs, job.metrics, job.alerts]) + state;
      for (const secret of [OLD, NEW]) expect(everything).not.toContain(secret);
      return tick.outcomes[0];
    }

    test('is read once for many visits', async () => {
      expect((await visit())?.kind).toBe('observed');
      expect((await visit())?.kind).toBe('observed');
      expect(reads()).toBe(1);
    });

    test('the next visit is refused once, reads it again, and gets in with the new one', async () => {
      expect((await visit())?.kind).toBe('observed');
      await rotate(NEW);
      const before = await refused();
      expect((await visit())?.kind).toBe('observed');
      expect([reads(), (await refused()) - before]).toEqual([1, 1]);
      expect((await visit())?.kind).toBe('observed');
      expect([reads(), (await refused()) - before]).toEqual([1, 1]);
    });

    test('a server that has moved on before the secret is told, and reached as soon as the secret follows', async () => {
      expect((await visit())?.kind).toBe('observed');
      await admin.config('SET', 'requirepass', NEW);
      const before = await refused();
      expect(await visit()).toMatchObject({
        kind: 'unreachable',
        problem: {
          kind: 'wrong-credentials',
          message: expect.stringMatching(/^the server refused the password: WRONGPASS\. Check /),
        },
      });
      // The same secret again: trying it once more would only count as another attack.
      expect((await refused()) - before).toBe(1);
      await store(NEW);
      expect((await visit())?.kind).toBe('observed');
    });

    test('a first password that is wrong is not read twice: there is no newer one', async () => {
      await store('something-else');
      proxy.clear();
      expect(await visit()).toMatchObject({ kind: 'unreachable', problem: { kind: 'wrong-credentials' } });
      expect(reads()).toBe(1);
    });

    test.each([
      [
        'deny',
        /^credentials\.password: the secret redis may not be read: allow this role secretsmanager:GetSecretValue/,
      ],
      ['garble', /^credentials\.password: the secret redis cannot be read: SyntaxError$/],
    ] as const)(
      'a secret that cannot be read (%s) is a problem of the config, and not of the node',
      async (kind, message) => {
        proxy.fault({ operation: 'GetSecretValue', kind });
        expect(await visit()).toMatchObject({
          kind: 'config-problem',
          problem: { kind: 'config-problem', message: expect.stringMatching(message), expected: true },
        });
        expect(job.metrics.map(({ name }) => name)).not.toContain('Reachable');
        proxy.clear();
        expect((await visit())?.kind).toBe('observed');
      },
    );
  });
});
