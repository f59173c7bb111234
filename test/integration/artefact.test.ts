import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import { MIB } from '../../core/config/units.ts';
import { createDynamoStore } from '../../core/state/dynamodb/store.ts';
import { describeWithRic, packaged } from '../support/artefact.ts';
import { awsEnv } from '../support/aws-proxy.ts';
import { datumsOf, messagesOf } from '../support/aws-wire.ts';
import { createDeployedTable, deploymentOf } from '../support/deployed.ts';
import { fragment, settingsOf } from '../support/fragmented.ts';
import { OPEN } from '../support/job.ts';
import { type AwsBackend, awsBackend, SCHEDULED } from '../support/lambda.ts';
import { type Invocation, type LambdaFunction, startFunction } from '../support/lambda-runtime.ts';
import { describeWithMoto } from '../support/moto.ts';
import type { Envelope } from '../support/moto-queue.ts';
import { untilOldEnough } from '../support/offpeak.ts';
import { keepingServer, lacksServer } from '../support/servers.ts';

/** Each server's password, where its own kind of reference leads. */
const PASSWORDS = { sessions: 'correct-horse-ssm', carts: 'battery-staple-vault' } as const;
const SECRETS = Object.values(PASSWORDS);

/** The longest promise that may be made, for machines whose own noise is long. */
const SETTINGS = `${OPEN}
    purge: { minReclaim: 64MiB, maxBlock: 5s }
    defrag: { minReclaim: 24MiB, maxStall: 100ms }
    maxOpsPerSecond: 100000`;

const instance = (id: string, { port }: RunningServer, reference: string) => `
  - id: ${id}
    url: redis://127.0.0.1:${port}
    credentials: { password: "${reference}" }${SETTINGS}`;

describeWithRic('the packaged job, called as Lambda calls it', (ric) => {
  describeWithMoto('with moto for AWS', () => {
    describe.skipIf(lacksServer('defrag'))('on a fragmented server and a healthy one', () => {
      const stack = new AsyncDisposableStack();
      let aws: AwsBackend;
      let servers: Record<keyof typeof PASSWORDS, RunningServer>;
      let redis: Record<keyof typeof PASSWORDS, Redis>;
      let dynamo: DynamoDBClient;
      let tableName: string;
      let job: LambdaFunction;
      let startAnother: (env: Readonly<Record<string, string>>) => Promise<LambdaFunction>;
      let settings: Readonly<Record<string, string>>;

      beforeAll(async () => {
        servers = { sessions: await start('sessions'), carts: await start('carts') };
        redis = { sessions: clientOf('sessions'), carts: clientOf('carts') };
        await fragment(redis.sessions);
        aws = stack.use(await awsBackend());
        await storeSecrets();
        const [ssm, vault] = ['ssm:/offpeak/sessions', 'secretsmanager:offpeak/carts#password'];
        const yaml = `notifications: { digest: never }\ninstances:${instance('sessions', servers.sessions, ssm)}${instance('carts', servers.carts, vault)}\n`;
        const workspace = stack.use(await packaged(yaml));
        dynamo = stack.adopt(new DynamoDBClient({}), (client) => client.destroy());
        tableName = await createDeployedTable(workspace, dynamo, 'StateTable');
        const deployment = deploymentOf(workspace, 'maintain', { StateTable: tableName, AlertTopic: aws.topicArn });
        const env = { ...deployment.env, ...awsEnv(aws.proxy.url) };
        job = stack.use(await startFunction(ric, { ...deployment, env }));
        startAnother = (more) => startFunction(ric, { ...deployment, env: { ...env, ...more } });
        settings = await settingsOf(redis.sessions);
        for (const each of Object.values(redis)) await untilOldEnough(each);
      });
      afterAll(() => stack.disposeAsync());
      beforeEach(() => aws.proxy.clear());

      const start = async (id: keyof typeof PASSWORDS) =>
        stack.use(await keepingServer({ args: ['--requirepass', PASSWORDS[id]] }));
      const clientOf = (id: keyof typeof PASSWORDS) =>
        stack.adopt(new Redis(servers[id].port, { password: PASSWORDS[id], protocol: 2 }), (each) => each.disconnect());
      const node = (id: keyof typeof PASSWORDS) => `127.0.0.1:${servers[id].port}`;
      const calls = (operation: string) => aws.proxy.requests.filter((call) => call.operation === operation);
      const lastClaim = async () => {
        const brakes = await createDynamoStore(dynamo, { tableName }).read('brakes');
        const { claims } = (brakes?.value ?? { claims: [] }) as {
          readonly claims: readonly { readonly until: number }[];
        };
        return Math.max(0, ...claims.map(({ until }) => until)) - Date.now();
      };
      const stored = async () => [...(await createDynamoStore(dynamo, { tableName }).list('')).keys()].sort();

      describe('with the event of the schedule', () => {
        let run: Invocation;
        let requests: AwsBackend['proxy']['requests'];
        let envelopes: readonly Envelope[];
        beforeAll(async () => {
          aws.proxy.clear();
          run = await job.invoke(SCHEDULED);
          requests = [...aws.proxy.requests];
          envelopes = await aws.queue.receive();
        });

        test('it defragments and purges one, sees the other, and leaves nothing on', async () => {
          expect(run).toMatchObject({
            ok: true,
            payload: { nodes: 2, acted: 3, unreachable: 0, leased: 0, ticks: expect.any(Number) },
          });
          expect(await settingsOf(redis.sessions)).toEqual(settings);
          expect(await redis.sessions.client('LIST')).not.toContain('name=offpeak');
        });

        test('the pieces for SSM and Secrets Manager load, and each secret is read once', () => {
          const reads = requests.filter(({ operation }) => /^Get(Parameter|SecretValue)$/.test(operation));
          expect(reads.map(({ input }) => input)).toEqual(
            expect.arrayContaining([
              { Name: '/offpeak/sessions', WithDecryption: true },
              { SecretId: 'offpeak/carts' },
            ]),
          );
          expect(reads).toHaveLength(2);
        });

        test('CloudWatch receives the metrics of both nodes and of the job', () => {
          const datums = datumsOf(requests);
          const valuesOf = (name: string, instanceId?: string) =>
            datums
              .filter(({ MetricName }) => MetricName === name)
              .filter(({ Dimensions = [] }) => Dimensions.find(({ Name }) => Name === 'Instance')?.Value === instanceId)
              .map(({ Value }) => Value);
          expect(valuesOf('Reachable', 'sessions')[0]).toBe(1);
          expect(valuesOf('Reachable', 'carts')).toEqual([1]);
          expect(valuesOf('Heartbeat')).toEqual([1]);
          expect(Number(valuesOf('ReclaimedMemory', 'sessions').at(-1))).toBeGreaterThan(24 * MIB);
          expect(new Set(datums.flatMap(({ Dimensions = [] }) => Dimensions.map(({ Name }) => Name)))).toEqual(
            new Set(['Stage', 'Instance', 'Node']),
          );
          expect(requests.filter(({ outcome }) => outcome !== 'forwarded')).toEqual([]);
        });

        test('a subscriber receives that it was started, and that it was finished', () => {
          expect(envelopes.map(({ MessageAttributes }) => MessageAttributes.event?.Value)).toEqual([
            'defrag-started',
            'defrag-finished',
          ]);
          expect(envelopes.map(({ TopicArn }) => TopicArn)).toEqual([aws.topicArn, aws.topicArn]);
        });

        test('the deployed table remembers the node and what was set on it, and holds no lease any more', async () => {
          expect((await stored()).toSorted()).toEqual([
            'brakes',
            `history#${node('sessions')}`,
            `record#${node('sessions')}`,
            expect.stringMatching(/^run#/),
          ]);
        });

        test('no secret is in what it logs, tells, stores or returns', async () => {
          const documents = [...(await createDynamoStore(dynamo, { tableName }).list('')).values()];
          const everything = JSON.stringify([run, documents, requests.map(({ input }) => input), envelopes]);
          expect(SECRETS.filter((secret) => everything.includes(secret))).toEqual([]);
          expect(
            run.logs
              .trim()
              .split('\n')
              .map((line) => JSON.parse(line).level),
          ).not.toContain('ERROR');
        });
      });

      test('the next invocation finds its container warm: no module, configuration or secret is read again', async () => {
        const again = await job.invoke(SCHEDULED);
        expect(again).toMatchObject({ ok: true, payload: { ticks: 1, nodes: 2, acted: 0 }, initMs: undefined });
        expect(job.starts()).toBe(1);
        expect([...calls('GetParameter'), ...calls('GetSecretValue')]).toEqual([]);
        expect(calls('PutMetricData')).toHaveLength(1);
      });

      test('F16: with DEBUG and NODE_DEBUG set, no password and no session token is in its log', async () => {
        const token = 'session-token-of-the-role';
        await using talkative = await startAnother({ DEBUG: '*', NODE_DEBUG: '*', AWS_SESSION_TOKEN: token });
        const run = await talkative.invoke(SCHEDULED);
        expect(run).toMatchObject({ ok: true, payload: { nodes: 2, unreachable: 0 } });
        expect([...SECRETS, token].filter((secret) => run.logs.includes(secret))).toEqual([]);
      });

      test('a container that is lost in the middle of a defrag: the next one ends it and gives the settings back', async () => {
        await fragment(redis.carts);
        // INFO's figures of the allocator are up to 100 ms old: those from before the deletions show no holes.
        await expect.poll(() => holesOf(redis.carts)).toBeGreaterThan(24 * MIB);
        const before = await settingsOf(redis.carts);
        // Both servers are on one host, and what was claimed for the other one counts for some seconds more.
        await expect.poll(lastClaim, { timeout: 60_000 }).toBeLessThan(0);
        const lost = job.invoke(SCHEDULED);
        // Should it start nothing, this shows what it did instead.
        expect(await Promise.race([lost, defragIsOn(redis.carts)])).toBe('on');
        job.crash();
        expect(await lost).toMatchObject({
          ok: false,
          error: {
            errorType: 'Runtime.ExitError',
            errorMessage: expect.stringMatching(
              /^RequestId: [\da-f-]{36} Error: Runtime exited with error: signal: killed$/,
            ),
          },
        });
        expect(await stored()).toContain('lease#carts');
        const next = await job.invoke(SCHEDULED);
        expect(next).toMatchObject({ ok: true, payload: { leased: 0, unreachable: 0 }, initMs: expect.any(Number) });
        expect(job.starts()).toBe(2);
        expect(await settingsOf(redis.carts)).toEqual(before);
        expect((await stored()).filter((key) => key.startsWith('lease#'))).toEqual([]);
        expect(messagesOf(aws.proxy.requests).map(({ attributes }) => attributes.event?.value)).toContain(
          'defrag-finished',
        );
      });
    });
  });
});

async function holesOf(redis: Redis): Promise<number> {
  const info = await redis.info('memory');
  const [active, allocated] = ['active', 'allocated'].map((name) => RegExp(`allocator_${name}:(\\d+)`).exec(info)?.[1]);
  return Number(active) - Number(allocated);
}

async function defragIsOn(redis: Redis): Promise<'on'> {
  while (((await redis.config('GET', 'activedefrag')) as string[])[1] !== 'yes') await sleep(20);
  return 'on';
}

/** In the account that the environment leads to. */
async function storeSecrets(): Promise<void> {
  const [ssm, vault] = [new SSMClient({}), new SecretsManagerClient({})];
  const parameter = { Name: '/offpeak/sessions', Value: PASSWORDS.sessions, Type: 'SecureString' } as const;
  await ssm.send(new PutParameterCommand(parameter));
  const SecretString = JSON.stringify({ password: PASSWORDS.carts });
  await vault.send(new CreateSecretCommand({ Name: 'offpeak/carts', SecretString }));
  for (const client of [ssm, vault]) client.destroy();
}
