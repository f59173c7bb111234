import { statusOf } from '../../core/domain/outcome.ts';
import { aJob, closedWindow } from './job.ts';
import { lookOf } from './outcomes.ts';

/**
 * The job as a process of its own, which a server may try to kill: `fork('looker-process.ts', [<port of a healthy server>])`. For each
 * message it runs one tick over the servers at those ports and over the healthy one, and answers what came of it.
 */
interface Asked {
  readonly id: number;
  readonly ports: readonly number[];
  /** Whether the memory is wanted: of what is kept, so that everything else is collected first. */
  readonly measures?: boolean;
}

export interface Answered {
  readonly id: number;
  /** Of each server that was asked for. */
  readonly seen: readonly {
    readonly status: string;
    readonly problem?: { readonly kind: string; readonly message: string; readonly expected: boolean };
  }[];
  /** Everything that would reach a person, a log or the state. */
  readonly said: string;
  /** The `run_id` of the healthy server, whether the metrics say that it was reached, and if not, what was the problem. */
  readonly good: {
    readonly runId: string | undefined;
    readonly reachable: number | undefined;
    readonly problem?: string;
  };
  /** Bytes of V8's heap, and of buffers outside of it. */
  readonly heap: number;
  readonly buffers: number;
}

const [goodPort = ''] = process.argv.slice(2);
const instance = (id: string, port: number | string) =>
  `  - id: ${id}\n    url: redis://127.0.0.1:${port}${closedWindow()}\n`;

async function answer({ id, ports, measures }: Asked): Promise<Answered> {
  const instances = ports.map((port, index) => instance(`bad-${index}`, port));
  using job = aJob(`instances:\n${instances.join('')}${instance('good', goodPort)}`);
  const { outcomes } = await job.tick();
  const bad = outcomes.filter((outcome) => outcome.instance !== 'good');
  const good = outcomes.find((outcome) => outcome.instance === 'good');
  const reachable = job.metrics.find(({ name, dimensions }) => name === 'Reachable' && dimensions.Instance === 'good');
  const documents = await job.ports.store.list('');
  if (measures) await collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return {
    id,
    seen: bad.map((one) => ({ status: statusOf(one), ...('problem' in one && { problem: one.problem }) })),
    said: JSON.stringify([bad, job.logs, job.alerts, [...documents]]),
    good: {
      runId: lookOf(good)?.runId,
      reachable: reachable?.value,
      ...(good && 'problem' in good && { problem: good.problem.message }),
    },
    heap: heapUsed,
    buffers: arrayBuffers,
  };
}

async function collect(): Promise<void> {
  globalThis.gc?.();
  await new Promise(setImmediate);
  globalThis.gc?.();
}

process.on('message', (asked: Asked) => void answer(asked).then((answered) => process.send?.(answered)));
process.on('disconnect', () => process.exit());
process.send?.('ready');
