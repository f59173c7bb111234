import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { ENVIRONMENT } from '../core/config/environment.ts';
import { workersOf } from '../core/config/fleet.ts';
import { MINUTE } from '../core/config/units.ts';
import type { Summary } from '../core/reconcile/summary.ts';
import type { JobFunction } from '../infra/functions.ts';
import { type AwsProxy, awsEnv, startAwsProxy } from '../test/support/aws-proxy.ts';
import { createStateTable } from '../test/support/dynamo-table.ts';
import { kindOf, startFleetProcess } from '../test/support/fleet/process.ts';
import { startMoto } from '../test/support/moto.ts';
import { createQueue } from '../test/support/moto-queue.ts';
import type { PartialResponse } from './fleet/event-source.ts';
import { findExporter, scrape } from './fleet/exporter.ts';
import { type JobProcess, lastWords, startJob } from './fleet/job-process.ts';
import { configOf, packaged } from './fleet/packaged.ts';
import { queuedTick } from './fleet/queue.ts';
import { type HandedOut, type SharedRow, sharedTableOf } from './fleet/queue-results.ts';
import { type Mix, type Row, type Ticked, tableOf } from './fleet/results.ts';
import { bench, chosen, countOf, noteInDocs } from './support/main.ts';

/**
 * `npm run bench:fleet`: one packaged function over many nodes, beside Debian's redis_exporter scraping the same; and a dispatch with its
 * workers, fed by a queue. One process answers as all servers, at addresses of 127.0.0.0/8, with captured INFO texts. AWS is moto behind a
 * proxy that counts; its own time is in the wall times.
 */
const MIXES = { healthy: 'healthy', mixed: 'mixed' } as const;
/** `workers`, of the 16 that a stage has: more at once wait for moto until their requests time out. */
const DEFAULTS = { nodes: ['100', '1000', '10000'], ticks: '4', fleet: Object.keys(MIXES), workers: '2' };
/** Of a fleet of which some have something to do: moto's answers take longer than the job waits, and the bench would end. */
const MOST_MIXED_THROUGH_QUEUE = 1_000;

interface Place {
  readonly env: Readonly<Record<string, string>>;
  readonly topic: string;
  readonly motoUrl: string;
  readonly proxy: AwsProxy;
  readonly log: string;
  readonly exporter: string | undefined;
  readonly ticks: number;
  /** Containers of the worker. */
  readonly workers: number;
}

const WAYS = {
  function: async (cells: readonly Cell[], place: Place) => {
    const text = await tabled(cells, tableOf, (...cell) => measured(place, ...cell));
    noteInDocs('fleet', text);
  },
  queue: async (cells: readonly Cell[], place: Place) => {
    const some = cells.filter(([nodes, mix]) => mix !== 'mixed' || nodes <= MOST_MIXED_THROUGH_QUEUE);
    if (some.length < cells.length)
      process.stderr.write(`left out: mixed fleets of more than ${MOST_MIXED_THROUGH_QUEUE} nodes through the queue\n`);
    const text = await tabled(some, sharedTableOf, (...cell) => measuredThroughQueue(place, ...cell));
    noteInDocs('fleet-queue', text);
  },
} as const;

type Cell = readonly [nodes: number, mix: Mix];

await bench('fleet', async () => {
  const { values } = parseArgs({
    options: {
      nodes: { type: 'string', multiple: true, default: DEFAULTS.nodes },
      ticks: { type: 'string', default: DEFAULTS.ticks },
      fleet: { type: 'string', multiple: true, default: DEFAULTS.fleet },
      workers: { type: 'string', default: DEFAULTS.workers },
      through: { type: 'string', multiple: true, default: Object.keys(WAYS) },
    },
  });
  const mixes = chosen('--fleet', values.fleet, MIXES).map(([, mix]) => mix);
  const sizes = values.nodes.map((value) => countOf('--nodes', value));
  const cells = sizes.flatMap((nodes) => mixes.map((mix): Cell => [nodes, mix]));
  const ways = chosen('--through', values.through, WAYS);
  await using stack = new AsyncDisposableStack();
  const place = await openPlace(stack, {
    ticks: countOf('--ticks', values.ticks),
    workers: countOf('--workers', values.workers),
  });
  for (const [, way] of ways) await way(cells, place);
});

/** Each row as soon as it is measured, and all of them in the end. */
async function tabled<R>(
  cells: readonly Cell[],
  table: (rows: readonly R[]) => string,
  measure: (...cell: Cell) => Promise<R>,
): Promise<string> {
  const rows: R[] = [];
  for (const cell of cells) {
    const row = await measure(...cell);
    process.stderr.write(`${table([row])}\n`);
    rows.push(row);
  }
  const text = table(rows);
  process.stdout.write(`\n${text}\n`);
  return text;
}

async function openPlace(stack: AsyncDisposableStack, counts: Pick<Place, 'ticks' | 'workers'>): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'offpeak-fleet-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const exporter = await findExporter(folder);
  const { url: motoUrl } = stack.use(await startMoto());
  const proxy = stack.use(await startAwsProxy(motoUrl));
  const env = awsEnv(proxy.url);
  Object.assign(process.env, env);
  const { TopicArn: topic = '' } = await new SNSClient({}).send(new CreateTopicCommand({ Name: 'offpeak-prod' }));
  return { env, topic, motoUrl, proxy, log: join(folder, 'log'), exporter, ...counts };
}

async function measured(place: Place, nodes: number, mix: Mix): Promise<Row> {
  const { proxy, exporter, ticks } = place;
  await using stack = new AsyncDisposableStack();
  const { config, fleet, start } = await openFleet(stack, place, [nodes, mix], 'never');
  const job = await start<Summary>('maintain');
  const tick = async (): Promise<Ticked> => {
    proxy.clear();
    await fleet.counts();
    const invoked = await job.invoke({ budget: 2 * MINUTE, event: {} });
    const { peak } = await fleet.counts();
    return { ...invoked, sockets: peak, calls: [...proxy.requests] };
  };
  const cold = await tick();
  const warm: Ticked[] = [];
  while (warm.length < ticks - 1) warm.push(await tick());
  const targets = config.instances.flatMap((instance) => instance.nodes.map(({ id }) => `redis://${id}`));
  const scraped = exporter === undefined ? undefined : await scrape(exporter, targets);
  return { mix, nodes, cold, warm, ...(scraped && { exporter: scraped }) };
}

async function measuredThroughQueue(place: Place, nodes: number, mix: Mix): Promise<SharedRow> {
  const { motoUrl, proxy, log, ticks } = place;
  await using stack = new AsyncDisposableStack();
  const { config, fleet, start } = await openFleet(stack, place, [nodes, mix], 'always');
  // By the proxy, so that the calls of the dispatch lead through it.
  const queue = await createQueue(proxy.url, `batches-${nodes}-${mix}`, { VisibilityTimeout: '600' });
  const dispatch = await start<HandedOut>('dispatch', { [ENVIRONMENT.batchQueueUrl]: queue.url });
  const workers: JobProcess<PartialResponse>[] = [];
  while (workers.length < Math.min(place.workers, workersOf(config))) workers.push(await start('work'));
  const takeCalls = () => {
    const calls = [...proxy.requests];
    proxy.clear();
    return calls;
  };
  const takeSockets = async () => (await fleet.counts()).peak;
  const tick = async () => {
    takeCalls();
    await takeSockets();
    const around = { takeCalls, takeSockets, lastWords: () => lastWords(log) };
    return await queuedTick({ config, motoUrl, queue, dispatch, workers, ...around });
  };
  const cold = await tick();
  const warm: (typeof cold)[] = [];
  while (warm.length < ticks - 1) warm.push(await tick());
  return { mix, nodes, cold, warm };
}

/** Servers, a table, and packaged functions that have both. */
async function openFleet(
  stack: AsyncDisposableStack,
  { env, topic, log }: Place,
  [nodes, mix]: Cell,
  queue: 'never' | 'always',
) {
  const fleet = stack.use(await startFleetProcess(mix));
  const { tableName } = await createStateTable(new DynamoDBClient({}));
  const written = configOf(nodes, fleet.ports, (index) => kindOf(mix, index));
  // With fewer workers than a stage has, a tick may take longer; what is older than one is dropped.
  const schedule = queue === 'always' ? { ...written.schedule, every: 15 * MINUTE } : written.schedule;
  const config = { ...written, schedule, fleet: { ...written.fleet, queue } };
  const built = stack.use(await packaged(config));
  const start = async <Answer>(key: JobFunction, more: Readonly<Record<string, string>> = {}) => {
    const { handler, configFile } = built.of(key);
    const own = {
      [ENVIRONMENT.stage]: 'prod',
      [ENVIRONMENT.configFile]: configFile,
      [ENVIRONMENT.stateTable]: tableName,
      [ENVIRONMENT.alertTopicArn]: topic,
    };
    return stack.use(await startJob<Answer>(handler, { ...env, ...own, ...more }, log));
  };
  return { config, fleet, start };
}
