import { existsSync, readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { expect } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import { JOB_METRICS } from '../../core/domain/job-metrics.ts';
import { NODE_METRICS } from '../../core/domain/node-metrics.ts';
import { isOfConfig, type Outcome } from '../../core/domain/outcome.ts';
import type { Tick } from '../../core/reconcile/scope.ts';
import { clientOf } from './fragmented.ts';
import { aJob, type Job, OPEN, SMALL_FLOORS } from './job.ts';
import { lookOf, troubleOf } from './outcomes.ts';

/** An instance of one node that is not as it should be. */
interface Bad {
  readonly url: string;
  /** Further keys of the instance, each line indented by four; small floors by default. */
  readonly settings?: string;
  /** Whatever stands in here is a secret: it may turn up nowhere. */
  readonly env?: Record<string, string>;
}

export interface GoodServer extends AsyncDisposable {
  readonly server: RunningServer;
  readonly redis: Redis;
  /** One tick over the bad node and then this one, with an open window: whatever the first is like, this one must not notice. */
  tickBeside(bad: Bad): Promise<Outcome>;
}

/** `start`: a healthy server. */
export async function goodServer(start: Promise<RunningServer>): Promise<GoodServer> {
  const server = await start;
  const redis = clientOf(server);
  return {
    server,
    redis,
    async tickBeside(bad) {
      using job = aJob(configFor(bad, server), { env: bad.env ?? {} });
      const tick = await job.tick();
      const outcome = tick.outcomes.find(({ instance }) => instance === 'bad');
      if (!outcome) throw new Error('the bad node has no outcome');
      expectGoodIsServed(tick, job);
      expectIsCounted(outcome, job);
      await expectNothingIsLeft(redis, job);
      expectNoSecret(job, tick, Object.values(bad.env ?? {}));
      return outcome;
    },
    async [Symbol.asyncDispose]() {
      redis.disconnect();
      await server.stop();
    },
  };
}

function configFor({ url, settings }: Bad, good: RunningServer): string {
  const instance = (id: string, address: string, rest: string) =>
    `  - id: ${id}\n    url: ${address}${OPEN}\n${rest}\n`;
  const floors = SMALL_FLOORS.slice(1);
  return `instances:\n${instance('bad', url, settings ?? floors)}${instance('good', good.url, floors)}`;
}

function expectGoodIsServed(tick: Tick, job: Job): void {
  const outcome = tick.outcomes.find(({ instance }) => instance === 'good');
  expect(outcome).toMatchObject({ kind: 'observed', plan: { kind: 'skip', reason: 'healthy' } });
  expect(published(job, NODE_METRICS.reachable.name, 'good')).toBe(1);
  expect(published(job, NODE_METRICS.usedMemoryRss.name, 'good')).toBe(lookOf(outcome)?.memory.usedMemoryRss);
  expect(job.logs.map(({ fields }) => fields)).toContainEqual(expect.objectContaining({ instance: 'good' }));
}

function expectIsCounted(outcome: Outcome, job: Job): void {
  // What is wrong with the config says nothing of the server.
  const isOurs = isOfConfig(outcome.kind);
  const isSeen = outcome.kind !== 'unreachable' && !isOurs;
  const problem = troubleOf(outcome);
  expect(published(job, NODE_METRICS.reachable.name, 'bad')).toBe(isOurs ? undefined : isSeen ? 1 : 0);
  expect(published(job, JOB_METRICS.nodesObserved.name)).toBe(isSeen ? 2 : 1);
  expect(published(job, JOB_METRICS.nodesUnreachable.name)).toBe(isSeen || isOurs ? 0 : 1);
  expect(published(job, JOB_METRICS.nodesFailed.name)).toBe(0);
  expect(published(job, JOB_METRICS.nodesMisconfigured.name)).toBe(isOurs ? 1 : 0);
  expect(published(job, JOB_METRICS.heartbeat.name)).toBe(1);
  // That a node does not answer is a state: an alarm tells it, no alert does. The log says why.
  if (!isSeen) {
    expect(job.alerts).toEqual([]);
    expect(job.logs).toContainEqual(
      expect.objectContaining({ level: 'warn', fields: expect.objectContaining({ problem }) }),
    );
  }
}

async function expectNothingIsLeft(redis: Redis, job: Job): Promise<void> {
  expect([...(await job.ports.store.list('lease#'))]).toEqual([]);
  expect(await redis.config('GET', 'activedefrag')).toEqual(['activedefrag', 'no']);
  await expect.poll(() => redis.client('LIST')).not.toContain('name=offpeak');
}

/** Everything that leaves the job, or stays behind it, without any of the secrets. */
function expectNoSecret(job: Job, tick: Tick, secrets: readonly string[]): void {
  const state = existsSync(job.stateFile) ? readFileSync(job.stateFile, 'utf8') : '';
  const everything = JSON.stringify([tick, job.logs, job.metrics, job.alerts]) + state;
  for (const secret of secrets.filter((text) => text !== '')) expect(everything).not.toContain(secret);
}

function published(job: Job, name: string, instance?: string): number | undefined {
  return job.metrics.find((metric) => metric.name === name && metric.dimensions.Instance === instance)?.value;
}
