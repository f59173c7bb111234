import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCloudWatchClient, createDynamoClient } from '../../core/adapters/aws/clients.ts';
import { createMetricSink } from '../../core/adapters/aws/cloudwatch.ts';
import { createAlertSink } from '../../core/adapters/aws/sns.ts';
import type { Ports } from '../../core/ports/ports.ts';
import { createDynamoStore } from '../../core/state/dynamodb/store.ts';
import { lifetimeOf } from '../../core/state/keys.ts';
import type { FaultKind } from '../support/aws-proxy.ts';
import type { AwsCall } from '../support/aws-wire.ts';
import { createStateTable } from '../support/dynamo-table.ts';
import { refragmented, settingsOf } from '../support/fragmented.ts';
import { type AwsBackend, awsBackend } from '../support/lambda.ts';
import { describeWithMoto } from '../support/moto.ts';
import { lacksServer } from '../support/servers.ts';
import type { Settings } from './messes.ts';
import { aPlace, HOLED, outcomeOf, type Place, type Scene, sceneAt } from './scene.ts';
import { type ExpectRow, faultTable } from './table.ts';

const NAMES = {
  throttle: 'throttles',
  error: 'answers 500',
  hang: 'hangs',
  slow: 'answers 2 s late',
  'lost-answer': 'succeeds, its answers lost,',
} satisfies Partial<Record<FaultKind, string>>;
const KINDS = ['throttle', 'error', 'hang'] as const;
const SINKS = (['CloudWatch', 'SNS'] as const).flatMap((service) => KINDS.map((kind) => ({ service, kind })));
/** Of the document in which a start claims its place in the stage. */
const isOfBrakes = ({ input }: AwsCall) => JSON.stringify(input).includes('"brakes"');
/** All that the job asks of the table. */
const TABLE_OPERATIONS = ['Query', 'GetItem', 'UpdateItem'];

const table = faultTable(import.meta.filename);

describeWithMoto('AWS that fails', () => {
  describe.skipIf(lacksServer('defrag') || lacksServer('plain'))('around a defrag', () => {
    let aws: AwsBackend;
    let dynamo: DynamoDBClient;
    let place: Place;
    let before: Settings;

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
      await refragmented(place.redis, HOLED);
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

    async function cleaned(scene: Scene, expectRow: ExpectRow, outcome: string): Promise<void> {
      aws.proxy.clear();
      expectRow({ outcome, ...(await scene.cleanUp(before)), told: await received() });
    }

    const fails = ({ service, kind }: (typeof SINKS)[number]) =>
      aws.proxy.fault({ operation: service === 'SNS' ? 'Publish' : 'PutMetricData', kind });
    const tableFails = (kind: FaultKind) => {
      for (const operation of TABLE_OPERATIONS) aws.proxy.fault({ operation, kind });
    };

    const untold = SINKS.map((sink) => ({
      ...sink,
      starts: table.row(`${sink.service} ${NAMES[sink.kind]} as a defrag starts`),
      ends: table.row(`${sink.service} ${NAMES[sink.kind]} as a defrag ends`),
    }));
    test.for(untold)('$service: $kind, as a defrag starts', async ({ starts, ...sink }) => {
      await using scene = await aDeployedScene();
      fails(sink);
      await cleaned(scene, starts, await scene.tick());
    });

    test.for(untold)('$service: $kind, as a defrag ends', async ({ ends, ...sink }) => {
      await using scene = await aDeployedScene();
      await scene.start();
      await scene.pause();
      scene.pass(60_000);
      fails(sink);
      const outcome = await scene.tick();
      expect(await settingsOf(place.redis)).toEqual(before);
      await cleaned(scene, ends, outcome);
    });

    const unknown = KINDS.map((kind) => ({
      kind,
      expectRow: table.row(`the state table ${NAMES[kind]} as a defrag would start`),
    }));
    test.for(unknown)('the state table: $kind, as a defrag would start', async ({ kind, expectRow }) => {
      await using scene = await aDeployedScene();
      tableFails(kind);
      const outcome = await scene.tick();
      expect(await settingsOf(place.redis)).toEqual(before);
      await cleaned(scene, expectRow, outcome);
    });

    const unwritten = ([...KINDS, 'lost-answer'] as const).map((kind) => ({
      kind,
      expectRow: table.row(`writing to the state table ${NAMES[kind]} as a defrag starts`),
    }));
    test.for(unwritten)('the state table: $kind, from the lease on', async ({ kind, expectRow }) => {
      await using scene = await aDeployedScene();
      aws.proxy.fault({ operation: 'UpdateItem', kind, when: (call) => !isOfBrakes(call) });
      await cleaned(scene, expectRow, await scene.tick());
    });

    const unclaimed = (['error', 'lost-answer'] as const).map((kind) => ({
      kind,
      expectRow: table.row(`writing the brakes to the state table ${NAMES[kind]} as a defrag starts`),
    }));
    test.for(unclaimed)('the state table: $kind, at the claim of the stage', async ({ kind, expectRow }) => {
      await using scene = await aDeployedScene();
      aws.proxy.fault({ operation: 'UpdateItem', kind, when: isOfBrakes });
      const outcome = await scene.tick();
      expect(await settingsOf(place.redis)).toEqual(before);
      await cleaned(scene, expectRow, outcome);
    });

    const slowStart = table.row(`the state table ${NAMES.slow} as a defrag starts`);
    test('the state table: slow, as a defrag starts', async () => {
      await using scene = await aDeployedScene();
      tableFails('slow');
      await cleaned(scene, slowStart, await scene.tick());
    });

    const lost = ([...KINDS, 'slow'] as const).map((kind) => ({
      kind,
      expectRow: table.row(`the state table ${NAMES[kind]}, during a defrag`),
    }));
    test.for(lost)('the state table: $kind, while it runs', async ({ kind, expectRow }) => {
      await using scene = await aDeployedScene();
      await scene.start();
      scene.pass(60_000);
      tableFails(kind);
      await cleaned(scene, expectRow, await scene.tick());
    });

    const slowEnd = table.row(`the state table ${NAMES.slow} as a defrag ends`);
    test('the state table: slow, as a defrag ends', async () => {
      await using scene = await aDeployedScene();
      await scene.start();
      await scene.pause();
      scene.pass(60_000);
      tableFails('slow');
      const outcome = await scene.tick();
      expect(await settingsOf(place.redis)).toEqual(before);
      await cleaned(scene, slowEnd, outcome);
    });

    const raced = table.row('two jobs race for the lease in the table');
    test('a lost race', async () => {
      await using scene = await aDeployedScene();
      const ticks = await Promise.all(['one', 'another'].map((holder) => scene.job.tick({ holder })));
      const outcomes = ticks.map(outcomeOf);
      expect(outcomes.filter((outcome) => outcome === 'acted: start-defrag')).toHaveLength(1);
      await cleaned(scene, raced, 'one acts: start-defrag');
    });
  });
});
