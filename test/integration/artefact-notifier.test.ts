import { join } from 'node:path';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { digestOf } from '../../core/alerts/digest.ts';
import { describeWithRic, packaged } from '../support/artefact.ts';
import { awsEnv } from '../support/aws-proxy.ts';
import { deploymentOf } from '../support/deployed.ts';
import { type AwsBackend, awsBackend, SCHEDULED } from '../support/lambda.ts';
import { type LambdaFunction, startFunction } from '../support/lambda-runtime.ts';
import { describeWithMoto } from '../support/moto.ts';
import { type SlackEndpoint, startSlackEndpoint } from '../support/slack-endpoint.ts';
import { stormOfKind } from '../support/storm.ts';
import { ALARMS } from '../unit/functions/notify-slack/alarms.ts';
import { ALERTS } from '../unit/functions/notify-slack/samples.ts';
import { alarmNotification, alertNotification, anEvent } from '../unit/functions/notify-slack/sns-events.ts';

const PRELOAD = join(import.meta.dirname, '..', 'support', 'preload-slack.ts');

const YAML = `
notifications: { slack: { webhook: "ssm:/offpeak/slack" } }
runbook: https://wiki.redis.example/offpeak
instances: [{ id: sessions, url: "redis://sessions.redis.example", windows: [] }]
`;

describeWithRic('the packaged notifier, called as Lambda calls it', (ric) => {
  describeWithMoto('with moto for AWS', () => {
    const stack = new AsyncDisposableStack();
    let aws: AwsBackend;
    let slack: SlackEndpoint;
    let webhookPath: string;
    let start: (env?: Readonly<Record<string, string>>) => Promise<LambdaFunction>;

    beforeAll(async () => {
      aws = stack.use(await awsBackend());
      slack = stack.use(await startSlackEndpoint());
      webhookPath = new URL(slack.url).pathname;
      const ssm = stack.adopt(new SSMClient({}), (client) => client.destroy());
      const Value = `https://hooks.slack.com${webhookPath}`;
      await ssm.send(new PutParameterCommand({ Name: '/offpeak/slack', Value, Type: 'SecureString' }));
      const workspace = stack.use(await packaged(YAML));
      const deployment = deploymentOf(workspace, 'notifySlack', { 'AWS::Region': 'eu-west-1' });
      const stage = { NODE_OPTIONS: `--import=${PRELOAD}`, SLACK_STAND_IN: slack.host };
      start = (env) =>
        startFunction(ric, { ...deployment, env: { ...deployment.env, ...awsEnv(aws.proxy.url), ...stage, ...env } });
    });
    afterAll(() => stack.disposeAsync());
    beforeEach(() => slack.clear());
    const expectNoSecret = (run: unknown) => expect(JSON.stringify(run).includes(webhookPath)).toBe(false);

    let fn: LambdaFunction;
    beforeAll(async () => {
      fn = stack.use(await start());
    });

    test('shows alerts and alarms as blocks that Slack accepts, linked to dashboard and runbook', async () => {
      const [alert] = Object.values(ALERTS);
      const [alarm] = Object.values(ALARMS);
      if (!alert || !alarm) throw new Error('samples expected');
      const run = await fn.invoke(anEvent(alertNotification(alert)));
      expect(run).toMatchObject({ ok: true, payload: { kind: 'alert', messages: 1 } });
      expect(await fn.invoke(anEvent(alarmNotification(alarm)))).toMatchObject({
        ok: true,
        payload: { kind: 'alarm' },
      });
      expect(slack.posts.map(({ outcome }) => outcome)).toEqual(slack.posts.map(() => 'ok'));
      expect(slack.shown().every((message) => JSON.stringify(message).includes('"blocks"'))).toBe(true);
      const shown = JSON.stringify(slack.shown());
      expect(shown).toContain('https://wiki.redis.example/offpeak#');
      expect(shown).toContain('eu-west-1#dashboards/dashboard/offpeak-prod');
      expectNoSecret(run);
    });

    test('F11: shows a digest of 1,000 nodes in few messages', async () => {
      const [one, ...more] = stormOfKind(1_000, 'unsupported');
      if (!one) throw new Error('alerts expected');
      const digest = digestOf([one, ...more], 'prod/digest/1');
      const run = await fn.invoke(anEvent(alertNotification(digest)));
      expect(run).toMatchObject({ ok: true, payload: { kind: 'alert', messages: slack.posts.length } });
      expect(slack.posts.map(({ outcome }) => outcome)).toEqual(slack.posts.map(() => 'ok'));
      expect(slack.posts.length).toBeLessThanOrEqual(6);
      const shown = JSON.stringify(slack.shown());
      expect(digest.members?.filter(({ node }) => !shown.includes(node))).toEqual([]);
    });

    test('is warm for the next event: it reads the webhook once', async () => {
      const [first] = Object.values(ALERTS);
      if (!first) throw new Error('an alert expected');
      aws.proxy.clear();
      expect(await fn.invoke(anEvent(alertNotification(first)))).toMatchObject({ ok: true, payload: { messages: 1 } });
      expect([fn.starts(), aws.proxy.requests.length, slack.posts.length]).toEqual([1, 0, 1]);
    });

    test('F16: with DEBUG and NODE_DEBUG set, the webhook and the session token of AWS are in no log', async () => {
      const token = 'session-token-of-the-role';
      await using talkative = await start({ DEBUG: '*', NODE_DEBUG: '*', AWS_SESSION_TOKEN: token });
      const [first] = Object.values(ALERTS);
      const run = await talkative.invoke(first && anEvent(alertNotification(first)));
      expect(run).toMatchObject({ ok: true, payload: { kind: 'alert', messages: 1 } });
      expect(run.logs).toContain('NODE_DEBUG is set: lines about connections and requests are left out');
      expectNoSecret(run);
      expect(run.logs.includes(token)).toBe(false);
    });

    test('refuses an event that is not from the queue', async () => {
      expect(await fn.invoke(SCHEDULED)).toMatchObject({
        ok: false,
        error: {
          errorType: 'TypeError',
          errorMessage: expect.stringMatching(/^the event is not from the queue: accepted is/),
        },
      });
    });

    test('an unhandled rejection ends the runtime; its message is in the log, and the webhook is not', async () => {
      await using doomed = await start({ STRAY_REJECTION: 'nobody waits for this' });
      const [first] = Object.values(ALERTS);
      const run = await doomed.invoke(first && anEvent(alertNotification(first)));
      expect(run).toMatchObject({
        ok: false,
        error: {
          errorType: 'Runtime.ExitError',
          errorMessage: expect.stringMatching(/Runtime exited with error: exit status 1$/),
        },
      });
      expect(run.logs).toContain('RangeError: nobody waits for this');
      expectNoSecret(run);
    });
  });
});
