import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { ENVIRONMENT } from '../core/config/environment.ts';
import { MINUTE } from '../core/config/units.ts';
import { type AwsProxy, awsEnv, startAwsProxy } from '../test/support/aws-proxy.ts';
import { createStateTable } from '../test/support/dynamo-table.ts';
import { kindOf, startFleetProcess } from '../test/support/fleet/process.ts';
import { startMoto } from '../test/support/moto.ts';
import { findExporter, scrape } from './fleet/exporter.ts';
import { startJob } from './fleet/job-process.ts';
import { configOf, packaged } from './fleet/packaged.ts';
import { type Mix, type Row, type Ticked, tableOf } from './fleet/results.ts';
import { bench, chosen, countOf, noteInDocs } from './support/main.ts';

/**
 * `npm run bench:fleet`: one packaged function over many nodes, beside Debian's redis_exporter scraping the same. One process answers as all
 * servers, at addresses of 127.0.0.0/8, with captured INFO texts. AWS is moto behind a proxy that counts; its own time is in the wall times.
 */
const MIXES = { healthy: 'healthy', mixed: 'mixed' } as const;
const DEFAULTS = { nodes: ['100', '1000', '10000'], ticks: '4', fleet: Object.keys(MIXES) };

interface Place {
  readonly env: Readonly<Record<string, string>>;
  readonly topic: string;
  readonly proxy: AwsProxy;
  readonly log: string;
  readonly exporter: string | undefined;
  readonly ticks: number;
}

await bench('fleet', async () => {
  const { values } = parseArgs({
    options: {
      nodes: { type: 'string', multiple: true, default: DEFAULTS.nodes },
      ticks: { type: 'string', default: DEFAULTS.ticks },
      fleet: { type: 'string', multiple: true, default: DEFAULTS.fleet },
    },
  });
  await using stack = new AsyncDisposableStack();
  const place = await openPlace(stack, countOf('--ticks', values.ticks));
  const rows: Row[] = [];
  for (const nodes of values.nodes.map((value) => countOf('--nodes', value))) {
    for (const [, mix] of chosen('--fleet', values.fleet, MIXES)) {
      const row = await measured(place, nodes, mix);
      process.stderr.write(`${tableOf([row])}\n`);
      rows.push(row);
    }
  }
  const text = tableOf(rows);
  process.stdout.write(`\n${text}\n`);
  noteInDocs('fleet', text);
});

async function openPlace(stack: AsyncDisposableStack, ticks: number): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'offpeak-fleet-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const exporter = await findExporter(folder);
  const moto = stack.use(await startMoto());
  const proxy = stack.use(await startAwsProxy(moto.url));
  const env = awsEnv(proxy.url);
  Object.assign(process.env, env);
  const { TopicArn: topic = '' } = await new SNSClient({}).send(new CreateTopicCommand({ Name: 'offpeak-prod' }));
  return { env, topic, proxy, log: join(folder, 'log'), exporter, ticks };
}

async function measured({ env, topic, proxy, log, exporter, ticks }: Place, nodes: number, mix: Mix): Promise<Row> {
  await using fleet = await startFleetProcess(mix);
  const { tableName } = await createStateTable(new DynamoDBClient({}));
  const config = configOf(nodes, fleet.ports, (index) => kindOf(mix, index));
  using built = await packaged(config);
  const own = {
    [ENVIRONMENT.stage]: 'prod',
    [ENVIRONMENT.configFile]: built.configFile,
    [ENVIRONMENT.stateTable]: tableName,
    [ENVIRONMENT.alertTopicArn]: topic,
  };
  using job = await startJob(built.handler, { ...env, ...own }, log);
  const tick = async (): Promise<Ticked> => {
    proxy.clear();
    await fleet.counts();
    const invoked = await job.invoke(2 * MINUTE);
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
