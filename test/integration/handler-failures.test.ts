import { writeFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import { ENVIRONMENT } from '../../core/config/environment.ts';
import { SECOND } from '../../core/config/units.ts';
import { datumsOf } from '../support/aws-wire.ts';
import { clientOf } from '../support/fragmented.ts';
import { configYaml, OPEN } from '../support/job.ts';
import { type AwsBackend, aContainer, awsBackend, contextOf } from '../support/lambda.ts';
import { describeWithMoto } from '../support/moto.ts';
import { oddServer } from '../support/odd-server.ts';
import { defragServer, lacksServer } from '../support/servers.ts';

const PASSWORD = 'battery-staple-7c1f';

describeWithMoto('the exported handler, when something fails', () => {
  /** Defrag is on there, by a human's hand: each fresh state file has one alert to send. */
  describe.skipIf(lacksServer('defrag'))('on a server with something to tell', () => {
    let server: RunningServer;
    let redis: Redis;
    let aws: AwsBackend;
    let yaml: string;

    beforeAll(async () => {
      server = await defragServer();
      redis = clientOf(server);
      await redis.config('SET', 'activedefrag', 'yes');
      aws = await awsBackend();
      yaml = configYaml(server.port);
    });
    afterAll(async () => {
      await aws?.[Symbol.asyncDispose]();
      redis?.disconnect();
      await server?.stop();
    });
    beforeEach(async () => {
      aws.proxy.clear();
      while ((await aws.queue.receive()).length > 0);
    });

    /** Names of what CloudWatch has taken. */
    const published = () =>
      datumsOf(aws.proxy.requests.filter(({ outcome }) => outcome === 'forwarded')).map(({ MetricName }) => MetricName);
    const events = async () =>
      (await aws.queue.receive()).map(({ MessageAttributes }) => MessageAttributes.event?.Value);
    const failure = { name: 'MaintenanceFailed' };

    test('a node that hangs does not keep the other from being told, and does not fail the invocation', async () => {
      await using hanging = await oddServer(() => undefined);
      const credentials = '\n    credentials: { password: "env:HANGING_PASSWORD" }';
      const other = `  - id: carts\n    url: redis://127.0.0.1:${hanging.port}${OPEN}${credentials}\n`;
      using container = aContainer(yaml + other, { HANGING_PASSWORD: PASSWORD });
      expect(await container.invoke()).toEqual({ ticks: 1, nodes: 2, acted: 0, unreachable: 1, leased: 0 });
      const datums = datumsOf(aws.proxy.requests);
      const reachable = datums.filter(({ MetricName }) => MetricName === 'Reachable');
      expect(reachable.map(({ Dimensions, Value }) => [Dimensions?.[1]?.Value, Value]).sort()).toEqual([
        ['carts', 0],
        ['sessions', 1],
      ]);
      expect(datums.find(({ MetricName }) => MetricName === 'NodesUnreachable')?.Value).toBe(1);
      expect(await events()).toEqual(['foreign-defrag']);
      expect(container.logs).toContainEqual(
        expect.objectContaining({ level: 'WARN', message: 'node unreachable', instance: 'carts' }),
      );
      expect(JSON.stringify([container.logs, aws.proxy.requests])).not.toContain(PASSWORD);
    });

    test('a topic that does not exist fails the invocation, after the metrics have arrived', async () => {
      using container = aContainer(yaml, { [ENVIRONMENT.alertTopicArn]: `${aws.topicArn}-gone` });
      await expect(container.invoke()).rejects.toMatchObject({
        ...failure,
        message: '1 metrics or alerts could not be delivered',
      });
      expect(published()).toEqual(expect.arrayContaining(['Reachable', 'UsedMemoryRss', 'Heartbeat']));
      expect(container.logs).toContainEqual(
        expect.objectContaining({
          level: 'ERROR',
          message: 'alerts not sent',
          rejected: [expect.objectContaining({ why: expect.stringMatching(/^NotFound/) })],
        }),
      );
    });

    test.each([
      ['PutMetricData', 'error'],
      ['PutMetricData', 'hang'],
      ['PutMetricData', 'deny'],
      ['Publish', 'reset'],
      ['Publish', 'hang'],
      ['Publish', 'throttle'],
    ] as const)(
      '%s that fails (%s) fails the invocation in bounded time, and the other arrives',
      async (operation, kind) => {
        aws.proxy.fault({ operation, kind });
        using container = aContainer(yaml);
        const context = contextOf(40 * SECOND);
        await expect(container.invoke(context)).rejects.toMatchObject(failure);
        // What is reserved for publishing has been enough.
        expect(context.getRemainingTimeInMillis()).toBeGreaterThan(25 * SECOND);
        const arrived = { metrics: published().length > 0, alerts: await events() };
        expect(arrived).toEqual(
          operation === 'Publish' ? { metrics: true, alerts: [] } : { metrics: false, alerts: ['foreign-defrag'] },
        );
        expect(container.logs.filter(({ instance }) => instance === 'sessions')).toHaveLength(1);
      },
    );

    test('AWS that cannot be reached at all fails the invocation, with the outcome in the log', async () => {
      const gone = await oddServer(() => undefined);
      await gone[Symbol.asyncDispose]();
      using container = aContainer(yaml, { AWS_ENDPOINT_URL: `http://127.0.0.1:${gone.port}` });
      await expect(container.invoke()).rejects.toMatchObject(failure);
      expect(container.logs.map(({ message }) => message)).toEqual([
        'node observed',
        'metrics not published',
        'alerts not sent',
      ]);
    });

    test('a state that cannot be read fails the invocation, after it has been told', async () => {
      using container = aContainer(yaml);
      writeFileSync(container.stateFile, 'not a state');
      await expect(container.invoke()).rejects.toMatchObject({
        ...failure,
        message: expect.stringMatching(/^the state could not be read: .*is neither an SQLite database/),
      });
      expect(published()).toEqual(expect.arrayContaining(['Reachable', 'Heartbeat']));
      expect(await events()).toEqual(['state-unavailable']);
    });

    test('with little time left, it checks, publishes, and ends', async () => {
      using container = aContainer(yaml);
      expect(await container.invoke(contextOf(18 * SECOND))).toMatchObject({ ticks: 1, nodes: 1, acted: 0 });
      expect(published()).toContain('Heartbeat');
    });

    test('a second invocation of a container reads the config no more, and opens its own connection', async () => {
      using container = aContainer(yaml);
      const opened = async () => Number(/^total_connections_received:(\d+)/m.exec(await redis.info('stats'))?.[1]);
      const before = await opened();
      const first = await container.invoke();
      await expect.poll(() => redis.client('LIST')).not.toContain('name=offpeak');
      expect(await opened()).toBe(before + 1);
      writeFileSync(container.configFile, 'no config any more');
      expect(await container.invoke()).toEqual(first);
      expect(await opened()).toBe(before + 2);
      // Told once, also across invocations: the state remembers.
      expect(await events()).toEqual(['foreign-defrag']);
    });

    test.each([
      [ENVIRONMENT.stage, undefined, 'EnvironmentError', /^STAGE is not set: set it to the stage, like prod$/],
      [
        ENVIRONMENT.stage,
        'Prod 1',
        'ConfigError',
        /stage: "Prod 1" is not the name of a stage; accepted: a lower-case/,
      ],
      [
        ENVIRONMENT.configFile,
        'no/such.yml',
        'EnvironmentError',
        /^the config file no\/such\.yml cannot be read \(ENOENT\)/,
      ],
      [ENVIRONMENT.stateFile, '', 'EnvironmentError', /^STATE_FILE is not set: set it to the path/],
      [ENVIRONMENT.alertTopicArn, undefined, 'EnvironmentError', /^ALERT_TOPIC_ARN is not set: set it to the ARN/],
      [
        ENVIRONMENT.alertTopicArn,
        'alerts',
        'EnvironmentError',
        /^ALERT_TOPIC_ARN cannot be used: .*"alerts".*arn:aws:sns/,
      ],
      ['AWS_ENDPOINT_URL', 'localhost:4566', 'AwsEnvironmentError', /^AWS_ENDPOINT_URL=localhost:4566 is not a URL/],
    ])(
      '%s=%j is refused by name, and the next invocation with a mended one works',
      async (name, value, error, message) => {
        const right = process.env[name];
        using container = aContainer(yaml, { [name]: value });
        await expect(container.invoke()).rejects.toMatchObject({
          name: error,
          message: expect.stringMatching(message),
        });
        expect(aws.proxy.requests).toEqual([]);
        const mended = { [ENVIRONMENT.stage]: 'test', [ENVIRONMENT.configFile]: container.configFile };
        vi.stubEnv(name, { ...mended, [ENVIRONMENT.stateFile]: container.stateFile }[name] ?? right);
        expect(await container.invoke()).toMatchObject({ nodes: 1, unreachable: 0 });
      },
    );

    test('a config with mistakes is refused with all of them, and the next invocation with a mended one works', async () => {
      const wrong = `${configYaml(server.port, `${OPEN}\n    purge: { minReclaim: 128 }`)}    maxOpsPerSeconds: 5\n`;
      using container = aContainer(wrong);
      const message = expect.stringMatching(
        /test\.yml:\d+ instances\[0\]\.purge\.minReclaim: 128 has no unit; accepted: a size.*\n.*`maxOpsPerSeconds`: did you mean `maxOpsPerSecond`\?/,
      );
      await expect(container.invoke()).rejects.toMatchObject({ name: 'ConfigError', message });
      writeFileSync(container.configFile, yaml);
      expect(await container.invoke()).toMatchObject({ nodes: 1, unreachable: 0 });
    });
  });
});
