import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Ports } from '../../functions/maintain/ports.ts';
import { lifetimeOf } from '../../functions/maintain/state.ts';
import { createCloudWatchClient, createDynamoClient } from '../../functions/shared/aws/clients.ts';
import { createMetricSink } from '../../functions/shared/aws/cloudwatch.ts';
import { createAlertSink } from '../../functions/shared/aws/sns.ts';
import { createDynamoStore } from '../../functions/shared/state/dynamo-store.ts';
import type { FaultKind } from '../support/aws-proxy.ts';
import { createStateTable } from '../support/dynamo-table.ts';
import { settingsOf } from '../support/fragmented.ts';
import { type AwsBackend, awsBackend } from '../support/lambda.ts';
import { describeWithMoto } from '../support/moto.ts';
import { lacksServer } from '../support/servers.ts';
import { aPlace, outcomeOf, type Place, refragmented, type Scene, sceneAt } from './scene.ts';
import { expectRow } from './table.ts';

const NAMES: Partial<Record<FaultKind, string>> = {
  throttle: 'throttles',
  error: 'answers 500',
  hang: 'hangs',
  'lost-answer': 'succeeds, its answers lost,',
};
const KINDS = ['throttle', 'error', 'hang'] as const;

describeWithMoto('AWS that fails', () => {
  describe.skipIf(lacksServer('defrag') || lacksServer('plain'))('around a defrag', () => {
    let aws: AwsBackend;
    let dynamo: DynamoDBClient;
    let place: Place;
    let before: Readonly<Record<string, string>>;

    beforeAll(async () => {
      aws = await awsBackend();
      dynamo = new DynamoDBClient({});
      place = await aPlace('defrag');
      before = await settingsOf(place.redis);
    });
    afterAll(async () => {
      await place?.[Symbol.asyncDispose]();
      dynamo?.destroy();
      await aws?.[Symbol.asyncDispose]();
    });

    /** The job with real sinks and a real table, each with clients of its own: one that was throttled too often no longer tries. */
    async function aDeployedScene(): Promise<Scene> {
      await refragmented(place);
      aws.proxy.clear();
      await received();
      const { tableName } = await createStateTable(dynamo);
      const metrics = createMetricSink(createCloudWatchClient());
      const ports = (kept: Ports): Partial<Ports> => ({
        // What the scene looks at is kept as well.
        metrics: {
          publish: async (some) => {
            await kept.metrics.publish(some);
            return await metrics.publish(some);
          },
        },
        alerts: createAlertSink({ topicArn: aws.topicArn }),
        store: createDynamoStore(createDynamoClient(), { tableName, keepFor: lifetimeOf }),
      });
      return sceneAt(place, { ports });
    }

    /** What the topic's subscriber has heard of the troubled instance. */
    async function received(): Promise<readonly string[]> {
      const events: string[] = [];
      for (let some = await aws.queue.receive(); some.length > 0; some = await aws.queue.receive()) {
        for (const { MessageAttributes } of some) {
          if (MessageAttributes.instance?.Value !== 'well') events.push(MessageAttributes.event?.Value ?? '?');
        }
      }
      return [...new Set(events)];
    }

    async function cleaned(scene: Scene, fault: string, outcome: string): Promise<void> {
      aws.proxy.clear();
      const clean = await scene.ticksUntilClean(before);
      expectRow({ fault, outcome, clean, told: await received() });
    }

    test.for((['CloudWatch', 'SNS'] as const).flatMap((service) => KINDS.map((kind) => [service, kind] as const)))(
      '%s: %s',
      async ([service, kind]) => {
        await using scene = await aDeployedScene();
        aws.proxy.fault({ operation: service === 'SNS' ? 'Publish' : 'PutMetricData', kind });
        const outcome = await scene.tick();
        await cleaned(scene, `${service} ${NAMES[kind]} as a defrag starts`, outcome);
      },
    );

    test.for(KINDS)('the state table: %s, as a defrag would start', async (kind) => {
      await using scene = await aDeployedScene();
      for (const operation of ['Query', 'GetItem', 'UpdateItem']) aws.proxy.fault({ operation, kind });
      const outcome = await scene.tick();
      expect(await settingsOf(place.redis)).toEqual(before);
      await cleaned(scene, `the state table ${NAMES[kind]} as a defrag would start`, outcome);
    });

    test.for([...KINDS, 'lost-answer'] as const)('the state table: %s, from the lease on', async (kind) => {
      await using scene = await aDeployedScene();
      aws.proxy.fault({ operation: 'UpdateItem', kind });
      const outcome = await scene.tick();
      await cleaned(scene, `writing to the state table ${NAMES[kind]} as a defrag starts`, outcome);
    });

    test.for(KINDS)('the state table: %s, while it runs', async (kind) => {
      await using scene = await aDeployedScene();
      await scene.start();
      scene.pass(60_000);
      for (const operation of ['Query', 'GetItem', 'UpdateItem']) aws.proxy.fault({ operation, kind });
      const outcome = await scene.tick();
      await cleaned(scene, `the state table ${NAMES[kind]}, during a defrag`, outcome);
    });

    test('a lost race', async () => {
      await using scene = await aDeployedScene();
      const ticks = await Promise.all(['one', 'another'].map((holder) => scene.job.tick({ holder })));
      const outcomes = ticks.map(outcomeOf);
      expect(outcomes.filter((outcome) => outcome === 'acted: start-defrag')).toHaveLength(1);
      await cleaned(scene, 'two jobs race for the lease in the table', 'one acts: start-defrag');
    });
  });
});
