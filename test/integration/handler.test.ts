import { GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import { GIB, MIB, MINUTE, SECOND } from '../../core/config/units.ts';
import type { Alert } from '../../core/domain/alert.ts';
import { createFileStore } from '../../core/state/file/file-store.ts';
import type { RecordedCall } from '../support/aws-proxy.ts';
import { datumsOf, messagesOf, type WireDatum } from '../support/aws-wire.ts';
import { clientOf, fragment, settingsOf } from '../support/fragmented.ts';
import { configYaml, OPEN } from '../support/job.ts';
import { type AwsBackend, aContainer, awsBackend, type Container, contextOf } from '../support/lambda.ts';
import { describeWithMoto } from '../support/moto.ts';
import type { Envelope } from '../support/moto-queue.ts';
import { keepingServer, lacksServer } from '../support/servers.ts';

/** Every metric; the longest promise that may be made, for machines whose own noise is long. */
const SETTINGS = `${OPEN}
    memoryLimit: 1GiB
    metrics: detailed
    purge: { minReclaim: 64MiB, maxBlock: 5s }
    defrag: { minReclaim: 24MiB, maxStall: 100ms }
    maxOpsPerSecond: 100000`;

/** As the alarms and the bill know them: written here a second time, so that a name cannot change unnoticed. */
const STATE = {
  Reachable: 'Count',
  UsedMemory: 'Bytes',
  UsedMemoryRss: 'Bytes',
  MemFragmentationRatio: 'None',
  ExternalFragmentation: 'Bytes',
  FreePages: 'Bytes',
  DataMemory: 'Bytes',
  BufferMemory: 'Bytes',
  ScriptMemory: 'Bytes',
  ProcessOverhead: 'Bytes',
  MemoryLimitUsed: 'Percent',
  UsedMemoryPeak: 'Bytes',
  CommandsPerSecond: 'Count/Second',
  MainThreadCpu: 'Percent',
  ActiveDefragRunning: 'Percent',
  ActiveDefragHits: 'Count',
  ActiveDefragMisses: 'Count',
  ActiveDefragKeyHits: 'Count',
  ActiveDefragKeyMisses: 'Count',
};
const ACTION = {
  ReclaimedMemory: 'Bytes',
  PredictedReclaim: 'Bytes',
  DefragStall: 'Milliseconds',
  BlockedTime: 'Milliseconds',
};
const JOB = {
  Heartbeat: 'Count',
  NodesObserved: 'Count',
  NodesUnreachable: 'Count',
  NodesNotReached: 'Count',
  NodesFailed: 'Count',
  NodesMisconfigured: 'Count',
  LeasesHeld: 'Count',
  TickDuration: 'Milliseconds',
};

describeWithMoto('the exported handler, invoked on a fragmented server', () => {
  describe.skipIf(lacksServer('defrag'))('that can defragment', () => {
    let server: RunningServer;
    let redis: Redis;
    let aws: AwsBackend;
    let container: Container;
    let node: string;
    let before: { readonly settings: Readonly<Record<string, string>>; readonly info: Info };
    let hurried: { readonly summary: unknown; readonly logs: readonly unknown[]; readonly settings: unknown };
    let run: Run;

    beforeAll(async () => {
      // What defrag frees is then still there for the purge, however slow the machine.
      server = await keepingServer();
      node = `127.0.0.1:${server.port}`;
      redis = clientOf(server);
      await fragment(redis);
      aws = await awsBackend();
      container = aContainer(configYaml(server.port, SETTINGS));
      await vi.waitFor(async () => expect((await infoOf(redis)).uptime_in_seconds).toBeGreaterThan(11), 30_000);
      before = { settings: await settingsOf(redis), info: await infoOf(redis) };
      const begunAt = Date.now();
      const summary = await container.invoke(contextOf(20 * SECOND));
      hurried = { summary, logs: container.logs.splice(0), settings: await settingsOf(redis) };
      const earlier = aws.proxy.requests.length;
      const startedAt = Date.now();
      const context = contextOf(120 * SECOND);
      const acting = await container.invoke(context);
      run = {
        summary: acting,
        requestId: context.awsRequestId,
        begunAt,
        startedAt,
        endedAt: Date.now(),
        calls: aws.proxy.requests.slice(earlier),
        envelopes: await aws.queue.receive(),
        info: await infoOf(redis),
      };
    });

    afterAll(async () => {
      container?.[Symbol.dispose]();
      await aws?.[Symbol.asyncDispose]();
      redis?.disconnect();
      await server?.stop();
    });

    test('with 20 s left, it starts nothing and says why', () => {
      expect(hurried.summary).toEqual({ ticks: 1, nodes: 1, acted: 0, unreachable: 0, leased: 0 });
      expect(hurried.logs).toMatchObject([
        {
          level: 'INFO',
          message: 'node observed',
          plan: { kind: 'skip', reason: 'not-enough-time', instead: { action: 'start-defrag' } },
          why: expect.stringContaining('the job has too little time left'),
        },
      ]);
      expect(hurried.settings).toEqual(before.settings);
    });

    test('with two minutes left, it defragments, purges, and leaves nothing behind', async () => {
      expect(run.summary).toEqual({ ticks: ticksOf(run).length, nodes: 1, acted: 3, unreachable: 0, leased: 0 });
      expect(await settingsOf(redis)).toEqual(before.settings);
      await expect.poll(() => redis.client('LIST')).not.toContain('name=offpeak');
      const documents = await createFileStore(container.stateFile).list('');
      expect([...documents.keys()].toSorted()).toEqual([
        'brakes',
        expect.stringMatching(/^counters#/),
        `history#${node}`,
        `record#${node}`,
        expect.stringMatching(/^run#/),
      ]);
    });

    test('each outcome is one log line, with the invocation that it belongs to', () => {
      const lines = container.logs.filter(({ status }) => status === 'acted');
      expect(lines.map(({ plan }) => (plan as { action: { kind: string } }).action.kind)).toEqual([
        'start-defrag',
        'stop-defrag',
        'purge',
      ]);
      for (const line of container.logs) {
        expect(line).toMatchObject({ level: 'INFO', instance: 'sessions', node, function_request_id: run.requestId });
      }
    });

    test('CloudWatch receives one call for each tick, under our namespace, with times of this run', () => {
      for (const { outcome, input } of ticksOf(run)) {
        expect({ outcome, namespace: input.Namespace }).toEqual({ outcome: 'forwarded', namespace: 'Offpeak' });
      }
      for (const { Timestamp = 0 } of datumsOf(run.calls)) {
        expect(Timestamp * 1000).toBeGreaterThanOrEqual(run.startedAt);
        expect(Timestamp * 1000).toBeLessThanOrEqual(run.endedAt);
      }
    });

    test('every metric has its name, unit and dimensions', () => {
      const stage = [{ Name: 'Stage', Value: 'test' }];
      const own = [...stage, { Name: 'Instance', Value: 'sessions' }, { Name: 'Node', Value: node }];
      const as = (units: object, dimensions: WireDatum['Dimensions']) =>
        Object.entries(units).map(([MetricName, Unit]) => ({ MetricName, Unit, Dimensions: dimensions }));
      const shapes = ticksOf(run).map((call) =>
        byName(datumsOf([call])).map(({ MetricName, Unit, Dimensions }) => ({ MetricName, Unit, Dimensions })),
      );
      expect(shapes[0]).toEqual(byName([...as(STATE, own), ...as(JOB, stage)]));
      const held = as({ LeasesHeld: 'Count' }, stage);
      for (const shape of shapes.slice(1, -1)) expect(shape).toEqual(byName([...as(STATE, own), ...held]));
      expect(shapes.at(-1)).toEqual(byName([...as({ ...STATE, ...ACTION }, own), ...held]));
    });

    test('the first tick tells what INFO said before, and that our defrag is on', () => {
      const values = valuesOf(ticksOf(run)[0]);
      const { info } = before;
      expect(values).toMatchObject({ Reachable: 1, Heartbeat: 1, NodesObserved: 1, NodesUnreachable: 0 });
      expect(values).toMatchObject({ NodesFailed: 0, LeasesHeld: 1 });
      // Those of this test alone, between two ticks.
      expect(values.CommandsPerSecond).toBeLessThan(10);
      expect(values.MainThreadCpu).toBeLessThanOrEqual(100);
      expectNear(values.UsedMemory, info.used_memory, 2 * MIB);
      // Free pages leave by themselves meanwhile: as many as there is time for.
      const freePages = info.allocator_resident - info.allocator_active;
      expectBetween(values.UsedMemoryRss, info.used_memory_rss - freePages - 8 * MIB, info.used_memory_rss + 8 * MIB);
      expectNear(values.ExternalFragmentation, info.allocator_active - info.allocator_allocated, 8 * MIB);
      expectBetween(values.FreePages, 0, freePages + 8 * MIB);
      expectNear(values.ProcessOverhead, info.used_memory_rss - info.allocator_resident, 8 * MIB);
      expectConsistent(values);
      expect(values.TickDuration).toBeGreaterThanOrEqual(1000);
      expect(values.TickDuration).toBeLessThan(run.endedAt - run.startedAt);
    });

    test('the last tick tells what INFO says afterwards, what was returned, and what it cost', () => {
      const values = valuesOf(ticksOf(run).at(-1));
      expectNear(values.UsedMemory, run.info.used_memory, 2 * MIB);
      expectNear(values.UsedMemoryRss, run.info.used_memory_rss, 8 * MIB);
      expectNear(values.ExternalFragmentation, run.info.allocator_active - run.info.allocator_allocated, 4 * MIB);
      expectNear(values.ActiveDefragHits, run.info.active_defrag_hits, 1);
      expect(values.ActiveDefragHits).toBeGreaterThan(1000);
      expectConsistent(values);
      const { UsedMemoryRss = 0, ExternalFragmentation = 0 } = valuesOf(ticksOf(run)[0]);
      const left = UsedMemoryRss - run.info.used_memory_rss;
      expectBetween(values.ReclaimedMemory, ExternalFragmentation / 2, left + 8 * MIB);
      expectNear((values.ReclaimedMemory ?? 0) / (values.PredictedReclaim ?? 1), 1, 0.2);
      expect(values.BlockedTime).toBeGreaterThan(0);
      expect(values.DefragStall).toBeGreaterThanOrEqual(0);
    });

    test('GetMetricData gives back what was put', async () => {
      const series = [...Map.groupBy(datumsOf(aws.proxy.requests), ({ MetricName }) => MetricName).values()];
      const MetricDataQueries = series.flatMap(([datum], index) =>
        (['Sum', 'SampleCount'] as const).map((Stat) => ({
          Id: `${Stat.toLowerCase()}${index}`,
          MetricStat: {
            Metric: { Namespace: 'Offpeak', MetricName: datum?.MetricName, Dimensions: [...(datum?.Dimensions ?? [])] },
            Period: 3600,
            Stat,
          },
        })),
      );
      // From before the hurried run on: CloudWatch's periods are whole ones.
      const [StartTime, EndTime] = [new Date(run.begunAt - MINUTE), new Date(run.endedAt + MINUTE)];
      const { MetricDataResults = [] } = await aws.cloudwatch.send(
        new GetMetricDataCommand({ StartTime, EndTime, MetricDataQueries }),
      );
      const stored = (id: string) => MetricDataResults.find(({ Id }) => Id === id)?.Values?.reduce((a, b) => a + b, 0);
      expect(series).toHaveLength(Object.keys({ ...STATE, ...ACTION, ...JOB }).length);
      for (const [index, datums] of series.entries()) {
        const sum = datums.reduce((total, { Value }) => total + Number(Value), 0);
        expect(stored(`sum${index}`), datums[0]?.MetricName).toBeCloseTo(sum, 5);
        expect(stored(`samplecount${index}`), datums[0]?.MetricName).toBe(datums.length);
      }
    });

    test('a subscriber receives that it was started, and that it was finished, purge included', () => {
      expect(run.envelopes.map(({ TopicArn, MessageAttributes }) => ({ TopicArn, MessageAttributes }))).toEqual(
        ['defrag-started', 'defrag-finished'].map((event) => ({
          TopicArn: aws.topicArn,
          MessageAttributes: Object.fromEntries(
            Object.entries({ event, instance: 'sessions', severity: 'info', stage: 'test' }).map(([name, Value]) => [
              name,
              { Type: 'String', Value },
            ]),
          ),
        })),
      );
      expect(run.envelopes.map(({ Subject }) => Subject)).toEqual([
        expect.stringMatching(/^\[offpeak test\] sessions: active defrag started, [\d.]+ MiB predicted back \(info\)$/),
        expect.stringMatching(/^\[offpeak test\] sessions: [\d.]+ MiB returned by active defrag \(info\)$/),
      ]);
    });

    test('the alerts hold the same figures as the metrics', () => {
      const [started, finished] = alertsOf(run);
      const [first, last] = [valuesOf(ticksOf(run)[0]), valuesOf(ticksOf(run).at(-1))];
      const common = { schema: 'offpeak/alert@1', severity: 'info', stage: 'test', instance: 'sessions', node };
      const words = {
        title: expect.any(String),
        why: expect.any(String),
        next: expect.stringMatching(/^Nothing to do\./),
      };
      const at = (alert: Alert | undefined) => ({
        at: alert?.at,
        // The time in it is the lease's: whoever ends it, it is the same event.
        id: expect.stringMatching(new RegExp(`^test/sessions/${node}/${alert?.event}/2\\d{3}-.*Z$`)),
      });
      expect(started).toEqual({
        ...common,
        ...words,
        ...at(started),
        event: 'defrag-started',
        facts: factsNamed('RSS', 'Predicted', 'Promised', 'Ends', 'Settings now', 'Server'),
        figures: {
          rssBefore: first.UsedMemoryRss,
          predictedBytes: last.PredictedReclaim,
          promisedStallMs: 100,
          memoryLimit: GIB,
        },
      });
      expect(finished).toEqual({
        ...common,
        ...words,
        ...at(finished),
        event: 'defrag-finished',
        facts: factsNamed('RSS before', 'RSS after', 'Returned', 'Cost', 'Purge after it', 'Settings now', 'Server'),
        figures: {
          // What the data has grown by meanwhile is not counted as returned.
          rssBefore: expect.closeTo((last.UsedMemoryRss ?? 0) + (last.ReclaimedMemory ?? 0), -6.5),
          rssAfter: last.UsedMemoryRss,
          predictedBytes: last.PredictedReclaim,
          returnedBytes: last.ReclaimedMemory,
          stallMs: last.DefragStall,
          promisedStallMs: 100,
          memoryLimit: GIB,
        },
      });
      for (const alert of [started, finished]) {
        expect(Date.parse(alert?.at ?? '')).toBeGreaterThanOrEqual(run.startedAt);
        expect(Date.parse(alert?.at ?? '')).toBeLessThanOrEqual(run.endedAt);
      }
    });

    test('the text that people get says it in words, with the settings as they are then', () => {
      const texts = messagesOf(run.calls).map(({ message }) => JSON.parse(message) as Record<string, string>);
      expect(texts.map(({ sqs }) => JSON.parse(sqs ?? ''))).toEqual(alertsOf(run));
      for (const { default: plain, email, sqs, lambda, http, https } of texts) {
        expect(plain).toBe(email);
        expect([lambda, http, https]).toEqual([sqs, sqs, sqs]);
        for (const line of plain?.split('\n') ?? []) expect(line.length).toBeLessThanOrEqual(80);
      }
      expect(texts[0]?.email).toMatch(
        /^sessions: active defrag started.*\n\nWhy: .* are free, but scattered over pages that also hold data;.*\n/,
      );
      expect(texts[0]?.email).toMatch(/Settings now +activedefrag yes/);
      expect(texts[1]?.email).toMatch(
        /returned by active defrag\n\nWhy: (The fragmentation is removed|More work would return next to nothing)/,
      );
      expect(texts[1]?.email).toMatch(/Purge after it +[\d.]+ MiB of that; clients blocked for/);
      expect(texts[1]?.email).toMatch(/Settings now +activedefrag no/);
      expect(texts[1]?.email).toMatch(new RegExp(`\ntest \\| sessions \\| ${node} \\| `));
    });
  });
});

interface Run {
  readonly summary: unknown;
  readonly requestId: string;
  /** Of the hurried run before it. */
  readonly begunAt: number;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly calls: readonly RecordedCall[];
  readonly envelopes: readonly Envelope[];
  readonly info: Info;
}

type Info = Readonly<Record<string, number>> & {
  readonly [Field in 'used_memory' | 'used_memory_rss' | 'uptime_in_seconds' | 'active_defrag_hits']: number;
} & { readonly [Field in 'allocator_active' | 'allocator_allocated' | 'allocator_resident']: number };

/** The figures of INFO, read without the project's own parser. */
async function infoOf(redis: Redis): Promise<Info> {
  const fields = (await redis.info()).matchAll(/^(\w+):(\d+)\r?$/gm);
  return Object.fromEntries([...fields].map(([, name, value]) => [name, Number(value)])) as Info;
}

function ticksOf({ calls }: Run): readonly RecordedCall[] {
  return calls.filter(({ operation }) => operation === 'PutMetricData');
}

function alertsOf({ envelopes }: Run): readonly Alert[] {
  return envelopes.map(({ Message }) => JSON.parse(Message) as Alert);
}

function valuesOf(call: RecordedCall | undefined): Readonly<Record<string, number>> {
  return Object.fromEntries(datumsOf(call ? [call] : []).map(({ MetricName, Value }) => [MetricName, Number(Value)]));
}

function byName<T extends { readonly MetricName: string }>(datums: readonly T[]): readonly T[] {
  return datums.toSorted((a, b) => a.MetricName.localeCompare(b.MetricName));
}

function factsNamed(...labels: readonly string[]): readonly unknown[] {
  return labels.map((label) => expect.objectContaining({ label, value: expect.stringMatching(/\S/) }));
}

function expectNear(actual: number | undefined, expected: number, within: number): void {
  expect(Math.abs((actual ?? Number.NaN) - expected), `${actual} is near ${expected}`).toBeLessThanOrEqual(within);
}

function expectBetween(actual: number | undefined, lowest: number, highest: number): void {
  expect(actual, `${actual} is between ${lowest} and ${highest}`).toBeGreaterThanOrEqual(lowest);
  expect(actual, `${actual} is between ${lowest} and ${highest}`).toBeLessThanOrEqual(highest);
}

/** Figures of one look add up. */
function expectConsistent(values: Readonly<Record<string, number>>): void {
  const { UsedMemory = 0, UsedMemoryRss = 0 } = values;
  expect(values.MemFragmentationRatio).toBeCloseTo(UsedMemoryRss / UsedMemory, 6);
  expect(values.MemoryLimitUsed).toBeCloseTo((UsedMemoryRss / GIB) * 100, 6);
}
