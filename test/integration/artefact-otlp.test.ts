import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeWithRic, packaged } from '../support/artefact.ts';
import { awsEnv } from '../support/aws-proxy.ts';
import { datumsOf, pointsOf } from '../support/aws-wire.ts';
import { anAuthority } from '../support/certificates.ts';
import { createDeployedTable, deploymentOf } from '../support/deployed.ts';
import { clientOf } from '../support/fragmented.ts';
import { closedWindow } from '../support/job.ts';
import { type AwsBackend, awsBackend, SCHEDULED } from '../support/lambda.ts';
import { type Invocation, startFunction } from '../support/lambda-runtime.ts';
import { describeWithMoto } from '../support/moto.ts';
import { lacksServer, plainServer } from '../support/servers.ts';
import { openTlsPort } from '../support/tls-port.ts';

describeWithRic('the packaged job, with what loads only where the config asks for it', (ric) => {
  describeWithMoto('with moto for AWS', () => {
    describe.skipIf(lacksServer('plain'))('metrics by OTLP, and a node that signs in with IAM', () => {
      const stack = new AsyncDisposableStack();
      let aws: AwsBackend;
      let run: Invocation | undefined;
      let signIns: string;

      beforeAll(async () => {
        const authority = stack.use(anAuthority());
        const server = stack.use(await plainServer());
        const admin = stack.adopt(clientOf(server), (client) => client.disconnect());
        const port = await openTlsPort(admin, authority, 'no');
        if (port === undefined) return;
        // Which token it is, only AWS could say: any password will do here, and the user is that of the config.
        await admin.call('ACL', 'SETUSER', 'offpeak', 'reset', 'on', 'nopass', '+info', '+ping', '+client|setname');
        aws = stack.use(await awsBackend());
        const ssm = stack.adopt(new SSMClient({}), (client) => client.destroy());
        await ssm.send(new PutParameterCommand({ Name: '/offpeak/ca', Value: authority.ca, Type: 'SecureString' }));
        const workspace = stack.use(
          await packaged(`metrics: { send: otlp }\ninstances:
  - id: carts
    url: rediss://127.0.0.1:${port}
    tls: { ca: "ssm:/offpeak/ca" }
    credentials: { username: offpeak, iam: { elasticache: carts } }${closedWindow()}\n`),
        );
        const dynamo = stack.adopt(new DynamoDBClient({}), (client) => client.destroy());
        const tableName = await createDeployedTable(workspace, dynamo, 'StateTable');
        const deployment = deploymentOf(workspace, 'maintain', { StateTable: tableName, AlertTopic: aws.topicArn });
        const env = { ...deployment.env, ...awsEnv(aws.proxy.url) };
        const job = stack.use(await startFunction(ric, { ...deployment, env }));
        aws.proxy.clear();
        run = await job.invoke(SCHEDULED);
        signIns = await admin.info('commandstats');
      });
      afterAll(() => stack.disposeAsync());

      test('the node is seen, its metrics go by OTLP, those of the job do not, and all is signed', (context) => {
        if (run === undefined) return context.skip('this redis-server is built without TLS');
        expect(run).toMatchObject({ ok: true, payload: { nodes: 1, unreachable: 0 } });
        expect(signIns).toMatch(/^cmdstat_auth:calls=[1-9]\d*,.*rejected_calls=0,failed_calls=0/m);
        const { requests } = aws.proxy;
        expect(requests.filter(({ outcome }) => outcome !== 'forwarded')).toEqual([]);
        expect(pointsOf(requests).find(({ name }) => name === 'offpeak_Reachable')).toMatchObject({
          labels: { Stage: 'prod', Instance: 'carts' },
          asDouble: 1,
        });
        expect(
          new Set(datumsOf(requests).flatMap(({ Dimensions = [] }) => Dimensions.map(({ Name }) => Name))),
        ).toEqual(new Set(['Stage']));
      });
    });
  });
});
