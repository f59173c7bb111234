import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SECOND } from '../../core/config/units.ts';
import { batches } from '../../infra/batches.ts';
import { ID } from '../../infra/names.ts';
import type { Workspace } from '../infra/workspace.ts';
import { describeWithRic, packaged } from '../support/artefact.ts';
import type { AwsCall } from '../support/aws-wire.ts';
import { settingsOf } from '../support/fragmented.ts';
import { configOf, OPEN } from '../support/job.ts';
import { type AwsBackend, awsBackend } from '../support/lambda.ts';
import { describeWithMoto } from '../support/moto.ts';
import { createQueue } from '../support/moto-queue.ts';
import { lacksServer } from '../support/servers.ts';
import type { Settings } from './messes.ts';
import { aPlace, type Place } from './scene.ts';
import { faultTable } from './table.ts';
import {
  type Message,
  type Moment,
  type QueuedScene,
  queuedScene,
  VISIBILITY_SECONDS,
  watchStarts,
} from './worker-scene.ts';

// A worker is killed (SIGKILL) with a message in its hands. The message comes again when its visibility time-out is over.

const table = faultTable(import.meta.filename);

/** So little CPU that no run is over before its trouble is. */
const FLOORS = `
    purge: { enabled: false }
    defrag: { minReclaim: 24MiB, maxStall: 100ms, maxCpu: 1% }
    maxOpsPerSecond: 100000`;

const isOf =
  (...words: readonly string[]) =>
  ({ input }: AwsCall) =>
    words.every((word) => JSON.stringify(input).includes(word));

interface Case {
  readonly fault: string;
  readonly moment: Moment;
  /** Whether the settings of a defrag are on when it dies. */
  readonly isOn: boolean;
  /** What the message does that comes again. */
  readonly again: 'checked' | 'dropped';
}

const CASES: readonly Case[] = [
  {
    fault: 'a worker killed before it has marked its message',
    moment: { operation: 'UpdateItem', when: isOf('batch#') },
    isOn: false,
    again: 'checked',
  },
  {
    fault: 'a worker killed as soon as it has marked its message',
    moment: { operation: 'Query' },
    isOn: false,
    again: 'dropped',
  },
  {
    fault: 'a worker killed after its claim, before its lease',
    moment: { operation: 'UpdateItem', when: isOf('lease#') },
    isOn: false,
    again: 'dropped',
  },
  {
    fault: 'a worker killed after CONFIG SET, before its alert is stored',
    moment: { operation: 'UpdateItem', when: isOf('outbox#') },
    isOn: true,
    again: 'dropped',
  },
  {
    fault: 'a worker killed after CONFIG SET, before its lease says so',
    moment: { operation: 'UpdateItem', when: isOf('lease#', 'running') },
    isOn: true,
    again: 'dropped',
  },
];

describeWithRic('the packaged worker, killed in the middle of a batch', (ric) => {
  describeWithMoto('with moto for AWS and the queue', () => {
    describe.skipIf(lacksServer('defrag') || lacksServer('plain'))('on real servers', () => {
      const stack = new AsyncDisposableStack();
      let place: Place;
      let aws: AwsBackend;
      let workspace: Workspace;
      let before: Settings;
      let yaml: string;

      beforeAll(async () => {
        place = stack.use(await aPlace('defrag'));
        aws = stack.use(await awsBackend());
        const instance = (id: string, port: number) => `  - { id: ${id}, url: "redis://127.0.0.1:${port}" }\n`;
        yaml = `notifications: { digest: never }\nfleet: { queue: always }\ndefaults: ${OPEN}${FLOORS}\ninstances:\n${instance('ill', place.proxy.port)}${instance('well', place.healthy.port)}`;
        workspace = stack.use(await packaged(yaml));
        await watchStarts(place.redis);
        before = await settingsOf(place.redis);
      }, 300_000);
      afterAll(() => stack.disposeAsync());

      const cases = CASES.map((one) => ({ ...one, expectRow: table.row(one.fault) }));
      test.for(cases)('$fault', async ({ moment, isOn, again, expectRow }) => {
        await using scene = await queuedScene({ ric, aws, workspace, place });
        const message = await scene.handOut();
        await scene.killedAt(moment, message);
        expect((await settingsOf(place.redis)).activedefrag).toBe(isOn ? 'yes' : 'no');

        await sleep(VISIBILITY_SECONDS * SECOND);
        const [second] = await scene.receive();
        expect(second).toMatchObject({ MessageId: message.MessageId, Body: message.Body });
        scene.reported();
        await expectAgain(scene, second ?? message, { isOn, again });
        expect(await scene.receive()).toEqual([]);

        // Nothing is lost: the next tick hands out the same nodes, and whoever comes next ends what is on.
        await untilFree(scene.store);
        const cleaned = await scene.cleanUp(before);
        expect(scene.reported()).toBe(2 * cleaned.clean);
        expect(await scene.starts()).toBe(isOn || again === 'checked' ? 1 : 0);
        expectRow({ outcome: `killed; the message is ${again}`, ...cleaned, told: await scene.told() });
      });

      const dead = table.row('a worker killed, and its message given up by the queue');
      test('as the template has it, the queue gives up the message, and the next tick goes on', async () => {
        const letters = await createQueue(aws.motoUrl, 'dead-letters');
        const { RedrivePolicy } = JSON.parse(JSON.stringify(batches(configOf(yaml))[ID.batchQueue])).Properties;
        const redrive = JSON.stringify({ ...RedrivePolicy, deadLetterTargetArn: letters.arn });
        await using scene = await queuedScene({ ric, aws, workspace, place }, { RedrivePolicy: redrive });
        const message = await scene.handOut();
        await scene.killedAt({ operation: 'UpdateItem', when: isOf('outbox#') }, message);
        await sleep(VISIBILITY_SECONDS * SECOND);
        expect(await scene.receive()).toEqual([]);
        expect(await scene.receive(letters)).toMatchObject([{ Body: message.Body }]);
        await untilFree(scene.store);
        const cleaned = await scene.cleanUp(before);
        expect(await scene.starts()).toBe(1);
        dead({ outcome: 'killed; the message is a dead letter', ...cleaned, told: await scene.told() });
      });
    });
  });
});

/** The message that comes again is not acted on twice. */
async function expectAgain(scene: QueuedScene, message: Message, { isOn, again }: Pick<Case, 'isOn' | 'again'>) {
  const { logs } = await scene.deliver(message);
  if (again === 'checked') return expect([scene.reported(), await scene.starts()]).toEqual([2, 1]);
  expect(logs).toContain('of this or a later tick was taken before');
  expect([scene.reported(), await scene.starts()]).toEqual([0, isOn ? 1 : 0]);
}

/** A job that died is taken to be at work for a while. */
async function untilFree(store: { list(prefix: string): Promise<ReadonlyMap<string, { readonly value: unknown }>> }) {
  const leases = [...(await store.list('lease#')).values()].map(({ value }) => Number(Object(value).busyUntil ?? 0));
  await sleep(Math.max(0, ...leases.map((busyUntil) => busyUntil + SECOND - Date.now())));
}
