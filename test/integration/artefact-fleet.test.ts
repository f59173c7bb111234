import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import type { RunningServer } from '../../cli/lab/start.ts';
import { describeWithRic, packaged } from '../support/artefact.ts';
import { awsEnv } from '../support/aws-proxy.ts';
import { datumsOf } from '../support/aws-wire.ts';
import { createDeployedTable, deploymentOf } from '../support/deployed.ts';
import { type AwsBackend, awsBackend, SCHEDULED } from '../support/lambda.ts';
import { type LambdaFunction, startFunction } from '../support/lambda-runtime.ts';
import { describeWithMoto } from '../support/moto.ts';
import { callSqs, createQueue, type MotoQueue } from '../support/moto-queue.ts';
import { defragServer, lacksServer } from '../support/servers.ts';

const Received = z.object({
  Messages: z.array(z.object({ MessageId: z.string(), Body: z.string(), ReceiptHandle: z.string() })).default([]),
});

describeWithRic('the packaged dispatch and a worker, called as Lambda calls them', (ric) => {
  describeWithMoto('with moto for AWS and the queue', () => {
    const stack = new AsyncDisposableStack();
    let aws: AwsBackend;
    let server: RunningServer;
    let queue: MotoQueue;
    let dispatch: LambdaFunction;
    let work: LambdaFunction;

    beforeAll(async () => {
      if (lacksServer('defrag')) return;
      server = stack.use(await defragServer());
      aws = stack.use(await awsBackend());
      // 60 instances, of which one has a server that answers: two messages of 25, one of 10.
      const dead = Array.from({ length: 59 }, (_, n) => `  - { id: dead-${n}, url: "redis://127.0.1.${n + 1}:1" }`);
      const alive = `  - { id: alive, url: "redis://127.0.0.1:${server.port}" }`;
      const workspace = stack.use(
        await packaged(`fleet: { queue: always }\ninstances:\n${[alive, ...dead].join('\n')}\n`),
      );
      const dynamo = stack.adopt(new DynamoDBClient({}), (client) => client.destroy());
      const StateTable = await createDeployedTable(workspace, dynamo, 'StateTable');
      queue = await createQueue(aws.motoUrl, 'offpeak-prod-batches');
      const refs = { StateTable, AlertTopic: aws.topicArn, BatchQueue: queue.url };
      const start = (name: 'dispatch' | 'work') => {
        const deployment = deploymentOf(workspace, name, refs);
        return startFunction(ric, { ...deployment, env: { ...deployment.env, ...awsEnv(aws.proxy.url) } });
      };
      dispatch = stack.use(await start('dispatch'));
      work = stack.use(await start('work'));
    });
    afterAll(() => stack.disposeAsync());
    beforeEach(() => aws?.proxy.clear());

    const valuesOf = (name: string) => datumsOf(aws.proxy.requests).filter(({ MetricName }) => MetricName === name);
    const receive = async () => {
      const { Messages } = Received.parse(
        await callSqs(aws.motoUrl, 'ReceiveMessage', { QueueUrl: queue.url, MaxNumberOfMessages: 10 }),
      );
      return Messages.map(({ MessageId, Body, ReceiptHandle }) => record(MessageId, Body, ReceiptHandle));
    };
    const record = (messageId: string, body: string, receiptHandle = 'r') => ({
      ...{ messageId, body, receiptHandle, attributes: {}, messageAttributes: {}, md5OfBody: '' },
      ...{ eventSource: 'aws:sqs', eventSourceARN: queue.arn, awsRegion: 'eu-west-1' },
    });
    let Records: Awaited<ReturnType<typeof receive>> = [];

    test.skipIf(lacksServer('defrag'))('the dispatch hands out each node once, and is well', async () => {
      const run = await dispatch.invoke(SCHEDULED);
      expect(run).toMatchObject({ ok: true, payload: { instances: 60, nodes: 60, batches: 3 } });
      expect(valuesOf('NodesDispatched')).toMatchObject([{ Value: 60 }]);
      expect(valuesOf('Heartbeat')).toMatchObject([{ Value: 1 }]);
      expect(valuesOf('NodesReported')).toEqual([]);
      Records = await receive();
      const handedOut = Records.flatMap(({ body }) => JSON.parse(body).instances.map(({ id }: { id: string }) => id));
      expect(new Set(handedOut).size).toBe(60);
      expect(handedOut).toHaveLength(60);
    });

    test.skipIf(lacksServer('defrag'))(
      'a worker checks the nodes of several messages, and its counts add up at the time of the tick',
      async () => {
        const run = await work.invoke({ Records });
        expect(run).toMatchObject({ ok: true, payload: { batchItemFailures: [] } });
        const sum = (name: string) => valuesOf(name).reduce((total, { Value = 0 }) => total + Number(Value), 0);
        expect([sum('NodesReported'), sum('NodesObserved'), sum('NodesUnreachable')]).toEqual([60, 1, 59]);
        expect(valuesOf('Heartbeat')).toEqual([]);
        expect(new Set(valuesOf('NodesReported').map(({ Timestamp }) => Timestamp)).size).toBe(1);
        expect(valuesOf('NodesNearLimit').length).toBe(3);
      },
    );

    test.skipIf(lacksServer('defrag'))('the same messages once more are checked by no worker', async () => {
      const run = await work.invoke({ Records });
      expect(run).toMatchObject({ ok: true, payload: { batchItemFailures: [] } });
      expect(valuesOf('NodesReported')).toEqual([]);
      expect(run.logs.match(/"message":"batch not checked"/g)).toHaveLength(3);
    });

    test.skipIf(lacksServer('defrag'))(
      'a message that is not a batch fails alone; one that is alone fails the invocation',
      async () => {
        const [first] = Records;
        const bad = record('bad', '{"Records": "secret-of-another"}');
        const run = await work.invoke({ Records: [first, bad] });
        expect(run).toMatchObject({ ok: true, payload: { batchItemFailures: [{ itemIdentifier: 'bad' }] } });
        expect(run.logs).toContain('the message is not a batch');
        expect(run.logs).not.toContain('secret-of-another');
        expect(await work.invoke({ Records: [bad] })).toMatchObject({
          ok: false,
          error: { errorType: 'FullBatchFailureError' },
        });
        expect(await work.invoke({ nothing: true })).toMatchObject({ ok: false });
      },
    );

    test.skipIf(lacksServer('defrag'))('a queue that is gone fails the dispatch, after its report', async () => {
      await callSqs(aws.motoUrl, 'DeleteQueue', { QueueUrl: queue.url });
      const run = await dispatch.invoke(SCHEDULED);
      expect(run).toMatchObject({
        ok: false,
        error: {
          errorType: 'MaintenanceFailed',
          errorMessage: expect.stringMatching(/^3 of 3 batches were not handed out: /),
        },
      });
      expect(valuesOf('NodesDispatched')).toMatchObject([{ Value: 60 }]);
    });
  });
});
