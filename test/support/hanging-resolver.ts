import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer } from '../../cli/lab/start.ts';
import { awsEnv, startAwsProxy } from './aws-proxy.ts';
import { datumsOf } from './aws-wire.ts';
import { dnsServer } from './dns-server.ts';
import { contextOf, SCHEDULED } from './lambda.ts';
import { startMoto } from './moto.ts';

/**
 * In a network of its own (own-network.ts), with the name server of the system, of which twelve names hang: one invocation of the handler
 * on these and on two healthy nodes, one of which has a name that only the search domain completes, with AWS by a name. Prints what it returned and what was published.
 */
await using dns = await dnsServer(53);
const binary = JSON.parse(process.env.SERVER ?? '');
await using server = await startServer(binary);
await using another = await startServer(binary);
await using moto = await startMoto();
await using proxy = await startAwsProxy(moto.url);
const ids = Array.from({ length: 12 }, (_, index) => `dead-${index}`);
for (const id of ids) dns.set(`${id}.test`, 'hangs');
for (const name of ['well.test', 'short.cluster.test', 'aws.test']) dns.set(name, { addresses: ['127.0.0.1'] });

const folder = mkdtempSync(join(tmpdir(), 'offpeak-lambda-'));
const configFile = join(folder, 'test.yml');
const hosts = [...ids.map((id) => [id, `${id}.test:${server.port}`]), ['well', `well.test:${server.port}`]];
const nodes = [...hosts, ['short', `short:${another.port}`]].map(
  ([id, host]) => `  - { id: ${id}, url: "redis://${host}" }\n`,
);
writeFileSync(configFile, `defaults: { timezone: UTC }\ninstances:\n${nodes.join('')}`);
Object.assign(process.env, awsEnv(proxy.url.replace('127.0.0.1', 'aws.test')), {
  STAGE: 'test',
  CONFIG_FILE: configFile,
  STATE_FILE: join(folder, 'state.db'),
  ALERT_TOPIC_ARN: 'arn:aws:sns:eu-west-1:123456789012:alerts',
});
const { handler } = await import('../../functions/maintain/handler.ts');
const summary = await handler(SCHEDULED, contextOf());
const datums = datumsOf(proxy.requests);
const instanceOf = (datum: (typeof datums)[number]) =>
  datum.Dimensions?.find(({ Name }) => Name === 'Instance')?.Value ?? '';
const reachable = datums.filter(({ MetricName }) => MetricName === 'Reachable');
rmSync(folder, { recursive: true });
process.stdout.write(
  `\n${JSON.stringify({
    summary,
    reachable: Object.fromEntries(reachable.map((datum) => [instanceOf(datum), datum.Value])),
    // On a slow machine a request is sent again: it has the same time.
    heartbeats: new Set(
      datums.filter(({ MetricName }) => MetricName === 'Heartbeat').map(({ Timestamp }) => String(Timestamp)),
    ).size,
  })}\n`,
);
