import type { Config } from '../../core/config/schema.ts';
import { MESSAGES_AT_ONCE } from '../../infra/batches.ts';
import { type JobFunction, jobTimeout } from '../../infra/functions.ts';
import type { RecordedCall } from '../../test/support/aws-proxy.ts';
import { datumsOf } from '../../test/support/aws-wire.ts';
import type { MotoQueue } from '../../test/support/moto-queue.ts';
import { BenchError } from '../support/main.ts';
import { deliver, type PartialResponse } from './event-source.ts';
import type { Invoked } from './job.ts';
import type { JobProcess } from './job-process.ts';
import type { HandedOut, Shared, SharedTick } from './queue-results.ts';

/** What a tick through the queue runs on. */
interface QueuedFleet {
  readonly config: Config;
  /** moto's own URL: what Lambda asks of the queue is not a call of Offpeak. */
  readonly motoUrl: string;
  readonly queue: MotoQueue;
  readonly dispatch: JobProcess<HandedOut>;
  readonly workers: readonly JobProcess<PartialResponse>[];
  /** What was asked of AWS since the last call. */
  takeCalls(): readonly RecordedCall[];
  /** Connections to nodes that were open at once, at most, since the last call. */
  takeSockets(): Promise<number>;
  /** What the functions said last, where something went wrong. */
  lastWords(): string;
}

/** One tick: the dispatch, and then its workers, until the queue is empty. @throws BenchError where a batch has failed, or a node was not reported */
export async function queuedTick(fleet: QueuedFleet): Promise<SharedTick> {
  const { config, dispatch, motoUrl, queue, workers } = fleet;
  const budget = (key: JobFunction) => jobTimeout(config, key);
  const handedOut = await dispatch.invoke({ budget: budget('dispatch'), event: {} });
  const ofDispatch = await sharedOf(fleet, [handedOut], handedOut.wall);
  const invoked: Invoked<PartialResponse>[] = [];
  const from = performance.now();
  const asFunctions = workers.map((worker) => async (event: unknown) => {
    const one = await worker.invoke({ budget: budget('work'), event });
    invoked.push(one);
    return one.answer;
  });
  const delivered = await deliver(motoUrl, queue, MESSAGES_AT_ONCE, asFunctions);
  const calls = fleet.takeCalls();
  const sum = (name: string) =>
    datumsOf(calls).reduce((all, { MetricName, Value }) => all + (MetricName === name ? Number(Value) : 0), 0);
  const { nodes } = handedOut.answer;
  const reported = sum('NodesReported');
  if (delivered.failed > 0) throw new BenchError(`${delivered.failed} batches have failed:\n${fleet.lastWords()}`);
  if (reported !== nodes) throw new BenchError(`${reported} of ${nodes} nodes were reported`);
  const ofWorkers = await sharedOf({ ...fleet, takeCalls: () => calls }, invoked, performance.now() - from);
  return {
    dispatch: ofDispatch,
    workers: { ...ofWorkers, calls: [...calls, ...delivered.calls] },
    batches: delivered.messages,
    unreachable: sum('NodesUnreachable'),
  };
}

async function sharedOf(
  { takeCalls, takeSockets }: Pick<QueuedFleet, 'takeCalls' | 'takeSockets'>,
  invoked: readonly Invoked<unknown>[],
  wall: number,
): Promise<Shared> {
  return {
    invocations: invoked.length,
    wall,
    cpu: invoked.reduce((all, { cpu }) => all + cpu, 0),
    rss: Math.max(...invoked.map(({ rss }) => rss)),
    sockets: await takeSockets(),
    calls: takeCalls(),
  };
}
