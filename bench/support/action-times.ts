import { setTimeout as wait } from 'node:timers/promises';
import { clientOf } from '../../cli/lab/client.ts';
import type { RunningServer } from '../../cli/lab/start.ts';
import { numberField, parseInfo } from '../../core/adapters/redis/info.ts';
import { monotonic, type Span } from './latencies.ts';

/** One check of a server, from the request to the answer. */
export interface Look extends Span {
  readonly isOn: boolean;
  /** The share of a processor that the defragger takes, in %; 0 while it rests. */
  readonly running: number;
  /** How often the server has been purged. */
  readonly purges: number;
}

const EVERY_MS = 100;

/**
 * Checks the server every tenth of a second, on a connection of its own, and in the same way for actions of the job, of Redis itself, or
 * without any.
 */
export function watchActions(server: Pick<RunningServer, 'host' | 'port'>) {
  const redis = clientOf(server);
  const looks: Look[] = [];
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      looks.push(await look(redis));
      await wait(EVERY_MS);
    }
    looks.push(await look(redis));
  })();
  // Reported where it is awaited; other code also notices a server that dies.
  watching.catch(() => {});
  const end = () => {
    isOver = true;
    return watching.finally(() => redis.disconnect());
  };
  return {
    async stop() {
      await end();
      return actionTimesIn(looks);
    },
    [Symbol.asyncDispose]: () => end().catch(() => {}),
  };
}

async function look(redis: ReturnType<typeof clientOf>): Promise<Look> {
  const from = monotonic();
  const [setting, memory, commands] = await Promise.all([
    redis.config('GET', 'activedefrag') as Promise<string[]>,
    redis.info('memory'),
    redis.info('commandstats'),
  ]);
  return {
    from,
    to: monotonic(),
    isOn: setting[1] === 'yes',
    running: numberField(parseInfo(memory), 'active_defrag_running') ?? 0,
    purges: Number(/^cmdstat_memory\|purge:calls=(\d+)/m.exec(commands)?.[1] ?? 0),
  };
}

/**
 * `spans`: when an action was running, of the job or of any other client, with one check before and one after: its effect on clients is within. `defragging`:
 * for how long the defragger was on and not yet at rest for good, in seconds; 0 where it never began. A defrag lasts from switching it on to switching it off, or until the defragger has finally come to rest: requests that come while the switch
 * stays on for longer do not count.
 */
export function actionTimesIn(looks: readonly Look[]) {
  const between = (from: number, to: number): Span => ({ from: at(from).from, to: at(to).to });
  const at = (index: number): Span => looks[Math.min(Math.max(index, 0), looks.length - 1)] ?? { from: 0, to: 0 };
  const spans = looks.flatMap(({ purges }, index) =>
    purges > (looks[index - 1]?.purges ?? purges) ? [between(index - 1, index)] : [],
  );
  const first = looks.findIndex(({ isOn }) => isOn);
  if (first < 0) return { spans, defragging: 0 };
  const running = looks.findLastIndex(({ isOn, running }) => isOn && running > 0);
  const last = running < 0 ? looks.findLastIndex(({ isOn }) => isOn) : running;
  const defragging = running < 0 ? 0 : (at(last + 1).from - at(first).from) / 1_000_000;
  return { spans: [between(first - 1, last + 1), ...spans], defragging };
}
