import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import { awsEnv } from '../support/aws-proxy.ts';
import { datumsOf, messagesOf } from '../support/aws-wire.ts';
import { configYaml } from '../support/job.ts';
import { type AwsBackend, awsBackend } from '../support/lambda.ts';
import { describeWithMoto } from '../support/moto.ts';
import { aWorkplace, type Finished, refusedPort, runOffpeak, type Workplace } from '../support/offpeak.ts';
import { defragServer, lacksServer } from '../support/servers.ts';

const { AWS_ENDPOINT_URL: _, AWS_REGION: __, ...KEYS } = awsEnv('');
const REGION = 'eu-west-1';
const SECRET = 'wJalrXUtnFEMI-not-for-logs';

describeWithMoto('offpeak run --publish', () => {
  describe.skipIf(lacksServer('defrag'))('on a server on which somebody has switched defrag on', () => {
    let server: RunningServer;
    let aws: AwsBackend;
    let place: Workplace;

    beforeAll(async () => {
      [server, aws] = await Promise.all([defragServer({ args: ['--activedefrag', 'yes'] }), awsBackend()]);
    });

    beforeEach(({ onTestFinished }) => {
      aws.proxy.clear();
      place = aWorkplace();
      onTestFinished(() => place[Symbol.dispose]());
      place.write('prod.yml', configYaml(server.port));
    });

    afterAll(async () => {
      await aws?.[Symbol.asyncDispose]();
      await server?.stop();
    });

    async function publish(env: Readonly<Record<string, string>>, ...flags: readonly string[]): Promise<Finished> {
      const args = ['run', '-c', 'prod.yml', '--publish', ...flags];
      return await runOffpeak(args, { cwd: place.folder, env: { ...KEYS, AWS_SECRET_ACCESS_KEY: SECRET, ...env } });
    }

    const whole = () => ({ AWS_ENDPOINT_URL: aws.proxy.url, AWS_REGION: REGION, ALERT_TOPIC_ARN: aws.topicArn });

    test('metrics reach CloudWatch, and the message reaches the topic and its subscriber', async () => {
      const { code, stderr, documents } = await publish(whole(), '--json');
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(documents).toMatchObject([{ alerts: [{ event: 'foreign-defrag', instance: 'sessions' }] }]);

      expect(aws.proxy.requests.map(({ outcome }) => outcome)).toEqual(['forwarded', 'forwarded']);
      const datums = datumsOf(aws.proxy.requests);
      const node = `127.0.0.1:${server.port}`;
      expect(datums).toContainEqual({
        MetricName: 'ExternalFragmentation',
        Dimensions: [
          { Name: 'Stage', Value: 'prod' },
          { Name: 'Instance', Value: 'sessions' },
          { Name: 'Node', Value: node },
        ],
        Timestamp: expect.any(Number),
        Value: documents[0]?.outcomes[0]?.diagnosis?.layers?.fragmentation,
        Unit: 'Bytes',
      });
      expect(datums).toContainEqual(expect.objectContaining({ MetricName: 'Heartbeat', Value: 1 }));

      const title = documents[0]?.alerts[0]?.title ?? '';
      expect(messagesOf(aws.proxy.requests)).toMatchObject([
        { topicArn: aws.topicArn, structure: 'json', subject: expect.stringContaining('sessions') },
      ]);
      const received = await aws.queue.receive();
      expect(received.map(({ MessageAttributes: { event } }) => event?.Value)).toEqual(['foreign-defrag']);
      expect(received[0]?.Message).toContain(title);
    });

    test('what was told once is not told again by the next run with the same state', async () => {
      await publish(whole());
      aws.proxy.clear();
      const { code } = await publish(whole());
      expect(code).toBe(0);
      expect(messagesOf(aws.proxy.requests)).toEqual([]);
      expect(datumsOf(aws.proxy.requests)).not.toEqual([]);
      await aws.queue.receive();
    });

    test('--instance publishes the nodes, and nothing that speaks for the job as a whole', async () => {
      await publish(whole(), '-i', 'sessions');
      const names = datumsOf(aws.proxy.requests).map(({ MetricName }) => MetricName);
      expect(names).toContain('Reachable');
      expect(names).not.toContain('Heartbeat');
      await aws.queue.receive();
    });

    test('without --publish nothing is sent', async () => {
      const { code } = await runOffpeak(['run', '-c', 'prod.yml'], { cwd: place.folder, env: { ...KEYS, ...whole() } });
      expect({ code, sent: aws.proxy.requests }).toEqual({ code: 0, sent: [] });
    });

    test.each([
      ['ALERT_TOPIC_ARN', 'no topic', /^offpeak: ALERT_TOPIC_ARN is not set: set it to the ARN of the SNS topic/],
      ['AWS_REGION', 'no region', /^offpeak: AWS_REGION is not set: set it \(for example AWS_REGION=eu-west-1\)/],
      [
        'AWS_ENDPOINT_URL',
        'an endpoint that is no URL',
        /^offpeak: AWS_ENDPOINT_URL=localhost is not a URL: set it to/,
      ],
    ])('%s: %s is exit 2, before anything is looked at', async (name, _what, expected) => {
      const env = { ...whole(), [name]: name === 'AWS_ENDPOINT_URL' ? 'localhost' : '' };
      const { code, stdout, stderr } = await publish(env);
      expect({ code, stdout, lines: stderr.trimEnd().split('\n').length }).toEqual({ code: 2, stdout: '', lines: 1 });
      expect(stderr).toMatch(expected);
      expect(aws.proxy.requests).toEqual([]);
    });

    test.each([
      ['refuses connections', async () => `http://127.0.0.1:${await refusedPort()}`],
      ['never answers', async () => aws.proxy.url],
    ])(
      'an endpoint that %s: exit 1 in bounded time, the outcome is printed, and what is lost is named',
      async (_what, url) => {
        for (const operation of ['PutMetricData', 'Publish']) aws.proxy.fault({ operation, kind: 'hang' });
        const { code, stdout, stderr, documents } = await publish(
          { ...whole(), AWS_ENDPOINT_URL: await url() },
          '--json',
        );
        expect(code).toBe(1);
        expect(documents).toMatchObject([
          { outcomes: [{ status: 'observed', diagnosis: { layers: expect.any(Object) } }] },
        ]);
        const errors = stderr
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line));
        expect(errors.map(({ level, message }) => [level, message]).toSorted()).toEqual([
          ['ERROR', 'alerts not sent'],
          ['ERROR', 'metrics not published'],
        ]);
        expect(stdout + stderr).not.toContain(SECRET);
      },
    );

    test('a topic that is not there: exit 1, the metrics have arrived', async () => {
      const { code, stdout } = await publish({ ...whole(), ALERT_TOPIC_ARN: `${aws.topicArn}-gone` });
      expect(code).toBe(1);
      expect(stdout).toMatch(/1 metrics or alerts could not be delivered/);
      expect(datumsOf(aws.proxy.requests)).not.toEqual([]);
    });
  });
});
