import { spawnSync } from 'node:child_process';
import { z } from 'zod';
import type { Ric } from '../test/support/lambda-ric.ts';
import { type Deployment, type Invocation, startFunction } from '../test/support/lambda-runtime.ts';
import type { Subject } from './account.ts';

/** Of each function: bytes that are loaded at its start, and milliseconds of their import on a machine with other work to do. */
export const AIM = { bytes: 1_000_000, ms: 150 };

const SCRIPT = `
const [cpu, wall] = [process.cpuUsage(), performance.now()];
await import(process.argv[1]);
const { user, system } = process.cpuUsage(cpu);
console.log(JSON.stringify({ wall: performance.now() - wall, cpu: (user + system) / 1000 }));
process.exit();
`;

/** Milliseconds of one import in a fresh process; `cpu` does not count what other processes took meanwhile. */
const Printed = z.object({ wall: z.number(), cpu: z.number() });
type ImportTime = z.infer<typeof Printed>;

/**
 * Imports each entry `runs` times, in turns, so that a slow moment of the machine affects all of them.
 *
 * @returns the times by entry
 */
export function importTimes(entries: readonly string[], runs: number): ReadonlyMap<string, readonly ImportTime[]> {
  const times = new Map<string, ImportTime[]>(entries.map((entry) => [entry, []]));
  for (let run = 0; run < runs; run += 1) {
    for (const [entry, all] of times) all.push(importOnce(entry));
  }
  return times;
}

function importOnce(entry: string): ImportTime {
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', SCRIPT, entry], {
    env: { AWS_REGION: 'eu-west-1' },
    encoding: 'utf8',
  });
  const printed = Printed.safeParse(stdout === '' ? undefined : JSON.parse(stdout));
  if (printed.success) return printed.data;
  throw new Error(`${entry} cannot be imported:\n${stderr.slice(-1_000)}`);
}

/** Milliseconds, each measured several times. */
interface StartTimes {
  /** From the process' start until it asks for work. */
  readonly init: number[];
  /** From the process' start to its first answer. */
  readonly first: number[];
  /** From an event to its answer, in a container that has answered before. */
  readonly warm: number[];
}

/**
 * Starts containers of a function and of the empty one, in turns, and invokes each several times.
 *
 * @throws Error when an invocation fails: the time of a failure is not that of a function
 */
export async function startTimes(ric: Ric, subject: Subject, { starts, warm }: { starts: number; warm: number }) {
  const own: StartTimes = { init: [], first: [], warm: [] };
  const empty: StartTimes = { init: [], first: [], warm: [] };
  const measure = async (deployment: Deployment, times: StartTimes) => {
    await using fn = await startFunction(ric, deployment);
    const { ms, initMs = Number.NaN } = succeeded(await fn.invoke(subject.event()));
    times.init.push(initMs);
    times.first.push(initMs + ms);
    for (let call = 0; call < warm; call += 1) times.warm.push(succeeded(await fn.invoke(subject.event())).ms);
  };
  for (let start = 0; start < starts; start += 1) {
    await measure(subject.deployment, own);
    await measure(subject.empty, empty);
  }
  return { own, empty };
}

function succeeded(invocation: Invocation): Invocation {
  if (invocation.ok) return invocation;
  const { errorType, errorMessage } = invocation.error;
  throw new Error(`${errorType}: ${errorMessage}\n${invocation.logs}`);
}
