import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Workspace } from '../infra/workspace.ts';
import { contentsOf, describeWithRic, packaged } from '../support/artefact.ts';
import { awsEnv } from '../support/aws-proxy.ts';
import { deploymentOf } from '../support/deployed.ts';
import { type AwsBackend, awsBackend, SCHEDULED } from '../support/lambda.ts';
import { type Deployment, startFunction } from '../support/lambda-runtime.ts';
import { describeWithMoto } from '../support/moto.ts';
import { type OddServer, oddServer } from '../support/odd-server.ts';
import { type RoleEndpoint, roleEndpoint } from '../support/role-endpoint.ts';

const NO_KEYS = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' };
const CONFIG_SECRET = 'gravel-lantern-secret';

const yaml = (port: number) => `
notifications: { slack: { webhook: "ssm:/offpeak/slack" } }
runbook: https://wiki.redis.example/offpeak
defaults:
  timezone: UTC
  windows: [{ days: daily, start: "00:00", duration: 24h }]
instances:
  - id: mute
    url: redis://127.0.0.1:${port}
    credentials: { password: "ssm:/offpeak/mute" }
`;

describeWithRic('the packaged job that fails, called as Lambda calls them', (ric) => {
  describeWithMoto('with moto for AWS', () => {
    const stack = new AsyncDisposableStack();
    let aws: AwsBackend;
    let mute: OddServer;
    let role: RoleEndpoint;
    let workspace: Workspace;

    beforeAll(async () => {
      aws = stack.use(await awsBackend());
      mute = stack.use(await oddServer(() => undefined));
      role = stack.use(await roleEndpoint());
      const ssm = stack.adopt(new SSMClient({}), (client) => client.destroy());
      const put = (Name: string, Value: string) =>
        ssm.send(new PutParameterCommand({ Name, Value, Type: 'SecureString' }));
      await put('/offpeak/mute', CONFIG_SECRET);
      workspace = stack.use(await packaged(yaml(mute.port)));
    });
    afterAll(() => stack.disposeAsync());

    type Changes = Partial<Omit<Deployment, 'env'>> & { readonly env?: Readonly<Record<string, string>> };
    const job = ({ env = {}, ...changes }: Changes = {}) => {
      const refs = { StateTable: 'no-such-table', AlertTopic: aws.topicArn };
      const deployment = deploymentOf(workspace, 'maintain', refs);
      const settings = { ...deployment.env, ...awsEnv(aws.proxy.url), ...env };
      return startFunction(ric, { ...deployment, ...changes, env: settings });
    };
    const file = (name: string, text: string) => {
      const path = join(workspace.folder, name);
      writeFileSync(path, text);
      return path;
    };

    describe('the zips hold', () => {
      test.each([
        ['maintain', /^dist\/maintain\/([\w-]+\.mjs|config\.json|THIRD-PARTY-NOTICES\.txt)$/],
        ['notifySlack', /^dist\/notify-slack\/([\w-]+\.mjs|THIRD-PARTY-NOTICES\.txt)$/],
      ])('of %s the bundle, its licences, and no source, map, test, YAML or secret', async (name, allowed) => {
        const names = contentsOf(join(workspace.folder, '.serverless', `${name}.zip`));
        expect(names).toContainEqual(expect.stringMatching(/\/handler\.mjs$/));
        expect(names.filter((path) => !allowed.test(path))).toEqual([]);
        const folder = name === 'maintain' ? 'maintain' : 'notify-slack';
        const texts = names.map((path) => workspace.read(path).toString('utf8'));
        expect(names.every((path) => path.startsWith(`dist/${folder}/`))).toBe(true);
        for (const text of texts) expect(/sourceMappingURL=|gravel-lantern|T0FAKE/.exec(text)?.[0]).toBeUndefined();
      });
    });

    describe('a failure looks as Lambda tells it:', () => {
      test.each<[string, () => Changes, string, RegExp]>([
        [
          'no config file',
          () => ({ env: { CONFIG_FILE: 'dist/maintain/none.json' } }),
          'EnvironmentError',
          /^the config file dist\/maintain\/none\.json cannot be read \(ENOENT\)/,
        ],
        [
          'a config file that breaks off',
          () => ({ env: { CONFIG_FILE: file('half.json', '{"stage":"prod","instances":[') } }),
          'EnvironmentError',
          /half\.json is not JSON: write it with `npm run package -- --stage prod`$/,
        ],
        [
          'a config file in YAML',
          () => ({ env: { CONFIG_FILE: file('prod.yml', yaml(1)) } }),
          'ConfigError',
          /a packaged function reads the JSON that packaging has made/,
        ],
        [
          'the config of another stage',
          () => ({ env: { STAGE: 'dev' } }),
          'EnvironmentError',
          /config\.json is not the one of stage dev/,
        ],
        ['no stage', () => ({ env: { STAGE: '' } }), 'EnvironmentError', /^STAGE is not set: set it to the stage/],
        [
          'no topic',
          () => ({ env: { ALERT_TOPIC_ARN: '' } }),
          'EnvironmentError',
          /^ALERT_TOPIC_ARN is not set: set it to the ARN/,
        ],
        [
          'a table that does not exist',
          () => ({}),
          'MaintenanceFailed',
          /^the state could not be read: The state table no-such-table/,
        ],
        [
          'a table that does not exist, asked with keys from where SnapStart has them',
          () => ({ env: { ...NO_KEYS, AWS_CONTAINER_CREDENTIALS_FULL_URI: role.url } }),
          'MaintenanceFailed',
          /^the state could not be read: The state table no-such-table/,
        ],
        [
          'no keys at all',
          () => ({ env: NO_KEYS }),
          'MaintenanceFailed',
          /^the state could not be read: .*CredentialsProviderError: Could not load credentials from any providers/m,
        ],
      ])('%s', async (_, changes, errorType, words) => {
        await using failing = await job(changes());
        const run = await failing.invoke(SCHEDULED);
        expect(run).toMatchObject({ ok: false, error: { errorType, errorMessage: expect.stringMatching(words) } });
        if (run.ok) return;
        expect(run.error.trace?.[0]).toContain(`${errorType}: `);
        expect(run.error.trace?.at(-1)).toMatch(/^ {4}at /);
        expect(run.logs).toContain('ERROR\tInvoke Error');
        expectNoSecret(run);
        // The container lives on, and tries again.
        expect((await failing.invoke(SCHEDULED)).initMs).toBeUndefined();
      });

      test.each([
        [
          'dist/maintain/handler.nothing',
          'Runtime.HandlerNotFound',
          'dist/maintain/handler.nothing is undefined or not',
        ],
        ['dist/maintain/missing.handler', 'Runtime.ImportModuleError', "Error: Cannot find module 'missing'"],
      ])('an init that fails: %s', async (handler, errorType, words) => {
        await using failing = await job({ handler });
        const run = await failing.invoke(SCHEDULED);
        expect(run).toMatchObject({ ok: false, error: { errorType, errorMessage: expect.stringContaining(words) } });
        expect(run.logs).toContain('ERROR\tInit Error');
        // Lambda starts another container for the next one.
        await failing.invoke(SCHEDULED);
        expect(failing.starts()).toBe(2);
      });

      // Which of the two is a race: middy ends the handler 5 ms before Lambda would, and its run then lives on in a container
      // that is used again. With `timeoutEarlyInMillis: 0` in the handler it is Lambda alone, and a new container.
      test('a time-out, after which the next invocation is answered', async () => {
        aws.proxy.fault({ operation: 'Query', kind: 'hang' });
        await using slow = await job({ timeoutMs: 1_500 });
        const run = await slow.invoke(SCHEDULED);
        aws.proxy.clear();
        expect(run).toMatchObject({
          ok: false,
          error: { errorType: expect.stringMatching(/^(Sandbox\.Timedout|TimeoutError)$/) },
        });
        expectNoSecret(run);
        expect((await slow.invoke(SCHEDULED)).ok).toBe(false);
      });

      test('a container that does not get to run in time is ended by Lambda, and a new one starts', async () => {
        await using starved = await job({ timeoutMs: 6_000 });
        aws.proxy.clear();
        aws.proxy.fault({ operation: 'Query', kind: 'hang' });
        const invocation = starved.invoke(SCHEDULED);
        await expect.poll(() => aws.proxy.requests.some(({ operation }) => operation === 'Query')).toBe(true);
        starved.starve();
        expect(await invocation).toMatchObject({
          ok: false,
          error: {
            errorType: 'Sandbox.Timedout',
            errorMessage: expect.stringMatching(/^RequestId: \S+ Error: Task timed out after 6\.00 seconds$/),
          },
        });
        aws.proxy.clear();
        await starved.invoke(SCHEDULED);
        expect(starved.starts()).toBe(2);
      });
    });
  });
});

function expectNoSecret(run: unknown): void {
  const told = JSON.stringify(run);
  expect([CONFIG_SECRET].filter((secret) => told.includes(secret))).toEqual([]);
}
