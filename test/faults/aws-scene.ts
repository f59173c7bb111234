import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll } from 'vitest';
import { createCloudWatchClient, createDynamoClient } from '../../core/adapters/aws/clients.ts';
import { createMetricSink } from '../../core/adapters/aws/cloudwatch.ts';
import { createAlertSink } from '../../core/adapters/aws/sns.ts';
import type { Ports } from '../../core/ports/ports.ts';
import { createDynamoStore } from '../../core/state/dynamodb/store.ts';
import { lifetimeOf } from '../../core/state/keys.ts';
import type { FaultKind } from '../support/aws-proxy.ts';
import { createStateTable } from '../support/dynamo-table.ts';
import { refragmented, settingsOf } from '../support/fragmented.ts';
import { type AwsBackend, awsBackend } from '../support/lambda.ts';
import type { Settings } from './messes.ts';
import { aPlace, HOLED, type Place, type Scene, sceneAt } from './scene.ts';
import type { ExpectRow } from './table.ts';

/** How the tables call them. */
export const NAMES = {
  throttle: 'throttles',
  error: 'answers 500',
  hang: 'hangs',
  slow: 'answers 2 s late',
  'lost-answer': 'succeeds, its answers lost,',
} satisfies Partial<Record<FaultKind, string>>;
export const KINDS = ['throttle', 'error', 'hang'] as const;

/** AWS around a defrag: one backend, and one place, for all tests of the group in which this is called. */
interface DeployedPlace {
  readonly aws: AwsBackend;
  readonly place: Place;
  readonly before: Settings;
  aDeployedScene(): Promise<Scene>;
  cleaned(scene: Scene, expectRow: ExpectRow, outcome: string): Promise<void>;
}

export function deployedPlace(): () => DeployedPlace {
  const stack = new AsyncDisposableStack();
  let deployed: DeployedPlace;
  beforeAll(async () => {
    const aws = stack.use(await awsBackend());
    const dynamo = stack.adopt(new DynamoDBClient({}), (client) => client.destroy());
    const place = stack.use(await aPlace('defrag'));
    deployed = deployedAt(aws, dynamo, place, await settingsOf(place.redis));
  });
  afterAll(() => stack.disposeAsync());
  return () => deployed;
}

function deployedAt(aws: AwsBackend, dynamo: DynamoDBClient, place: Place, before: Settings): DeployedPlace {
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
  return {
    aws,
    place,
    before,
    /** The job with real sinks and a real table, each with clients of its own: one that was throttled too often no longer tries. */
    async aDeployedScene() {
      await refragmented(place.redis, HOLED);
      aws.proxy.clear();
      await received();
      const { tableName } = await createStateTable(dynamo);
      return sceneAt(place, { ports: (kept) => deployedPorts(kept, aws.topicArn, tableName) });
    },
    async cleaned(scene, expectRow, outcome) {
      aws.proxy.clear();
      expectRow({ outcome, ...(await scene.cleanUp(before)), told: await received() });
    },
  };
}

function deployedPorts(kept: Ports, topicArn: string, tableName: string): Partial<Ports> {
  const metrics = createMetricSink(createCloudWatchClient());
  return {
    // What the scene looks at is kept as well.
    metrics: {
      publish: async (some) => {
        await kept.metrics.publish(some);
        return await metrics.publish(some);
      },
    },
    alerts: createAlertSink({ topicArn }),
    store: createDynamoStore(createDynamoClient(), { tableName, keepFor: lifetimeOf }),
  };
}
