import { readFileSync, writeSync } from 'node:fs';
import type { Alert } from '../../core/domain/alert.ts';
import { planIn, statusOf, stepsOf } from '../../core/domain/outcome.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Ports } from '../../core/ports/ports.ts';
import { aJob } from '../support/job.ts';

/**
 * One tick of the job as a process of its own: `node job-process.ts <config file> <state file> <holder> [<effect>]`. Whatever it asks
 * of servers, store and sinks is counted; after the given one it ends as by `kill -9`, without any chance to clean up. Prints each
 * alert when it has been sent, and what came of the troubled instance.
 */
const [configFile = '', stateFile = '', holder = '', fatal = '0'] = process.argv.slice(2);
let effects = 0;

async function effect<T>(step: () => Promise<T>): Promise<T> {
  const nth = ++effects;
  const result = await step();
  if (nth === Number(fatal)) process.kill(process.pid, 'SIGKILL');
  return result;
}

/** Every method that promises something is an effect. */
function counted<T extends object>(target: T): T {
  return new Proxy(target, {
    get: (from, name) => {
      const member: unknown = Reflect.get(from, name);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        const call = () => Reflect.apply(member, from, args);
        return name === 'close' ? call() : effect(call);
      };
    },
  });
}

/** Synchronous, so that what was printed before a kill -9 has reached the pipe. */
function print(kind: string, words: string): void {
  writeSync(1, `${kind} ${words}\n`);
}

const send = async (alerts: readonly Alert[]) => {
  for (const { instance, event } of alerts) if (instance === 'ill') print('told', event);
  return { sent: alerts.length, rejected: [] };
};
const others = ({ open, store, metrics }: Ports): Partial<Ports> => ({
  open: async (instance, node) => counted(await effect(() => open(instance, node))),
  store: counted(store),
  metrics: counted(metrics),
  alerts: counted({ send }),
});
/** Before a deed and after a defrag the job waits up to 12 s, in which nothing happens here: a tick for each effect would take minutes. */
const SHORT_MS = 100;
let skipped = 0;
const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const shortened = async (ms: number) => {
  const short = Math.min(ms, SHORT_MS);
  skipped += ms - short;
  await wait(short);
};
const clock: Clock = {
  now: () => Date.now() + skipped,
  sleep: shortened,
  pause: shortened,
};
using job = aJob(readFileSync(configFile, 'utf8'), { stateFile, clock, others });
const { outcomes } = await job.tick({ holder });
for (const step of outcomes.flatMap(stepsOf)) {
  const plan = planIn(step);
  const what = plan?.kind === 'act' ? plan.action.kind : plan?.reason;
  if (step.instance === 'ill') print('outcome', `${statusOf(step)}: ${what}`);
}
