import type { Ric } from '../test/support/lambda-ric.ts';
import { type Deployment, type Invocation, startFunction } from '../test/support/lambda-runtime.ts';
import type { Subject } from './subjects.ts';

/** Milliseconds, each measured several times. */
export interface StartTimes {
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
  const [own, empty]: [StartTimes, StartTimes] = [noTimes(), noTimes()];
  for (let start = 0; start < starts; start += 1) {
    await measure(ric, subject.deployment, subject, { times: own, warm });
    await measure(ric, subject.empty, subject, { times: empty, warm });
  }
  return { own, empty };
}

function noTimes(): StartTimes {
  return { init: [], first: [], warm: [] };
}

async function measure(
  ric: Ric,
  deployment: Deployment,
  { event }: Subject,
  { times, warm }: { readonly times: StartTimes; readonly warm: number },
): Promise<void> {
  await using fn = await startFunction(ric, deployment);
  const { ms, initMs = Number.NaN } = succeeded(await fn.invoke(event()));
  times.init.push(initMs);
  times.first.push(initMs + ms);
  for (let invocation = 0; invocation < warm; invocation += 1) times.warm.push(succeeded(await fn.invoke(event())).ms);
}

function succeeded(invocation: Invocation): Invocation {
  if (invocation.ok) return invocation;
  const { errorType, errorMessage } = invocation.error;
  throw new Error(`${errorType}: ${errorMessage}\n${invocation.logs}`);
}
