import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import { createSecretReader } from '../../core/adapters/aws/secrets.ts';
import { createNames } from '../../core/adapters/dns/names.ts';
import { SECOND } from '../../core/config/units.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Tick } from '../../core/reconcile/scope.ts';
import { dnsServer } from '../support/dns-server.ts';
import { clientOf, fragment, settingsOf } from '../support/fragmented.ts';
import { aJob, type Job, OPEN, SMALL_FLOORS } from '../support/job.ts';
import { awsBackend } from '../support/lambda.ts';
import { describeWithMoto } from '../support/moto.ts';
import { oddServer } from '../support/odd-server.ts';
import { untilOldEnough } from '../support/offpeak.ts';
import { defragServer, lacksServer, plainServer } from '../support/servers.ts';

const instanceAt = (id: string, url: string, settings = '') =>
  `  - id: ${id}\n    url: ${url}${OPEN}${SMALL_FLOORS}${settings}\n`;
const configFor = (instances: readonly string[]) => `defaults: { timezone: UTC }\ninstances:\n${instances.join('')}`;

/** Addresses of loopback, all of which lead to the same port. */
const deadUrl = (n: number, { port }: { readonly port: number }) =>
  `redis://127.${1 + (n >> 14)}.${(n >> 7) & 127}.${1 + (n & 127)}:${port}`;
const deadInstances = (count: number, place: { readonly port: number }) =>
  Array.from({ length: count }, (_, n) => `  - { id: dead-${n}, url: "${deadUrl(n, place)}" }\n`);

const kindOf = ({ outcomes }: Tick, id: string) => outcomes.find(({ instance }) => instance === id)?.kind;
const countOf = ({ outcomes }: Tick, kind: string) =>
  outcomes.filter((one) => one.instance.startsWith('dead') && one.kind === kind).length;
const published = (job: Job, name: string, instance?: string) =>
  job.metrics.findLast((metric) => metric.name === name && metric.dimensions.Instance === instance)?.value;

// Nearly all of it is waiting: side by side.
describe.skipIf(lacksServer('plain'))(
  'F7: more nodes that do not answer than there is time for',
  { concurrent: true },
  () => {
    let server: RunningServer;
    /** Listens, and accepts nobody: what comes after the first few is dropped, as on a route that leads nowhere. */
    let hole: Hole;
    beforeAll(async () => {
      [server, hole] = await Promise.all([plainServer(), blackHole()]);
    });
    afterAll(async () => {
      hole?.[Symbol.dispose]();
      await server?.stop();
    });

    test('the tick ends in time, publishes what it saw, and says of the others that they were not reached', async () => {
      const dead = 1_300;
      using job = aJob(configFor([...deadInstances(dead, hole), instanceAt('well', server.url)]));
      // As `every: 1m` has it, at a third of its time: 15 s, of which looks get 5.
      const startedAt = performance.now();
      const remaining = () => 15 * SECOND - (performance.now() - startedAt);
      let tick = await job.tick({ remaining });
      const took = performance.now() - startedAt;
      expect(countOf(tick, 'unreachable') + countOf(tick, 'not-reached')).toBe(dead);
      expect(countOf(tick, 'not-reached')).toBeGreaterThan(0);
      // All of them, 32 at a time with three seconds each, are two minutes.
      expect(took).toBeLessThan(90 * SECOND);
      expect(tick.outcomes.find(({ kind }) => kind === 'not-reached')).toMatchObject({
        problem: { kind: 'not-reached', message: 'there was no time left to look at it', expected: true },
      });
      const all = (kind: string) => tick.outcomes.filter((one) => one.kind === kind).length;
      expect(published(job, 'NodesNotReached')).toBe(all('not-reached'));
      expect(published(job, 'NodesUnreachable')).toBe(all('unreachable'));
      const unknown = tick.outcomes.find(({ kind }) => kind === 'not-reached')?.instance;
      expect(job.metrics.filter(({ dimensions }) => dimensions.Instance === unknown)).toEqual([]);

      // A node that answers is seen as soon as it has been reached once. On a machine that is busy enough, its answer comes too late.
      const again = () => job.tick({ remaining: () => 15 * SECOND });
      for (let more = 0; more < 20 && kindOf(tick, 'well') !== 'observed'; more++) tick = await again();
      expect(kindOf(tick, 'well')).toBe('observed');
      expect(published(job, 'Reachable', 'well')).toBe(1);
      // From then on it comes before those that do not answer.
      expect(['observed', 'unreachable']).toContain(kindOf(await again(), 'well'));
    });

    test('what was not reached comes first the next time, so that each node has its turn', async () => {
      using job = aJob(configFor(deadInstances(300, hole)));
      const reached = new Set<string>();
      for (let ticks = 0; reached.size < 300 && ticks < 20; ticks++) {
        const { outcomes } = await job.tick({ remaining: () => 0 });
        for (const { instance, kind } of outcomes) if (kind === 'unreachable') reached.add(instance);
      }
      expect(reached.size).toBe(300);
    });

    test('what is given up is closed', async () => {
      await using dns = await dnsServer();
      await using silent = await oddServer(() => {});
      const ids = Array.from({ length: 600 }, (_, n) => `dead-${n}`);
      for (const id of ids) dns.set(`${id}.test`, { addresses: ['127.0.0.1'] });
      using job = aJob(configFor(ids.map((id) => instanceAt(id, `redis://${id}.test:${silent.port}`))), {
        names: createNames({ servers: [dns.address] }),
      });
      const tick = await job.tick({ remaining: () => 0 });
      expect(countOf(tick, 'not-reached')).toBeGreaterThan(0);
      await vi.waitFor(() => expect(silent.connections()).toBe(0), 60_000);
    });

    describeWithMoto('and secrets that hang', () => {
      test('keep nobody else from being seen', async () => {
        await using aws = await awsBackend();
        aws.proxy.fault({ operation: 'GetParameter', kind: 'hang' });
        const credentials = (n: number) => `\n    credentials: { password: "ssm:/dead/${n}" }`;
        const dead = Array.from({ length: 200 }, (_, n) => instanceAt(`dead-${n}`, deadUrl(n, server), credentials(n)));
        const secrets = new SecretsManagerClient({});
        await secrets.send(new CreateSecretCommand({ Name: 'redis', SecretString: 'of-another-service' }));
        secrets.destroy();
        const other = '\n    credentials: { password: "secretsmanager:redis" }';
        await using signedIn = await plainServer({ args: ['--requirepass', 'of-another-service'] });
        using job = aJob(
          configFor([...dead, instanceAt('well', server.url), instanceAt('other', signedIn.url, other)]),
          {
            secrets: createSecretReader({ env: {} }),
          },
        );
        // Those whose secrets hang are looked at first.
        const look = () => {
          for (let n = 0; n < 200; n++) job.ports.sightings?.set(new URL(deadUrl(n, server)).host, true);
          return job.tick({ remaining: () => 0 });
        };
        const seen = (one: Tick) => [kindOf(one, 'well'), kindOf(one, 'other')];
        let tick = await look();
        // On a machine that is busy enough, an answer comes too late.
        for (let more = 0; more < 20 && seen(tick).some((kind) => kind !== 'observed'); more++) tick = await look();
        expect(seen(tick)).toEqual(['observed', 'observed']);
        // When AWS' time is up, the secret is the problem.
        const unseen = ['not-reached', 'unreachable', 'config-problem'].map((kind) => countOf(tick, kind));
        expect(unseen.reduce((sum, count) => sum + count)).toBe(200);
        expect(published(job, 'Reachable', 'well')).toBe(1);
      });
    });
  },
);

describe.skipIf(lacksServer('defrag'))('F7: a lease among nodes that do not answer', { concurrent: true }, () => {
  test('is given back in time', async () => {
    await using server = await defragServer();
    using hole = await blackHole();
    const redis = clientOf(server);
    try {
      await fragment(redis);
      const before = await settingsOf(redis);
      let offset = 0;
      const pass = (ms: number) => {
        offset += ms;
      };
      const clock: Clock = {
        now: () => Date.now() + offset,
        sleep: async (ms) => pass(ms),
        pause: async (ms) => pass(ms),
      };
      // What has just started is left alone for ten seconds.
      await untilOldEnough(redis);
      const instances = [...deadInstances(900, hole), instanceAt('ill', server.url)];
      using job = aJob(configFor(instances), { clock });
      const only = [{ instance: 'ill', node: `127.0.0.1:${server.port}` }];
      expect((await job.tick({ scope: { kind: 'nodes', nodes: only } })).leased).toEqual(only);
      const release = () => job.tick({ remaining: () => 15 * SECOND, release: 'released' });
      let tick = await release();
      // Its answer may come too late. Were it not looked at first, it would have no turn in two more ticks either.
      for (let more = 0; more < 2 && tick.leased.length > 0; more++) tick = await release();
      expect(countOf(tick, 'not-reached')).toBeGreaterThan(0);
      expect(tick.leased).toEqual([]);
      expect(await settingsOf(redis)).toEqual(before);
    } finally {
      redis.disconnect();
    }
  });
});

interface Hole extends Disposable {
  readonly port: number;
}

/** A process that listens on every address of loopback, and is stopped. */
async function blackHole(): Promise<Hole> {
  const code = `const s = require('node:net').createServer().listen({ port: 0, host: '0.0.0.0', backlog: 1 }, () =>
    process.stdout.write(s.address().port + '\\n')); process.stdin.on('end', () => process.exit()).resume();`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  child.kill('SIGSTOP');
  return { port: Number(line.toString()), [Symbol.dispose]: () => void child.kill('SIGKILL') };
}
