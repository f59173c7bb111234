import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import type { Sample } from './latencies.ts';
import { BenchError, realtime } from './main.ts';
import { PROBE } from './server.ts';

const PACE = 1000;
/** The client's first requests, which are slow by its own doing, are not the server's latency. */
const START_MS = 500;

/** What a steady client felt while `work` went on. */
export async function probed<T>(
  port: number,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly samples: readonly Sample[] }> {
  const prober = join(import.meta.dirname, 'prober.ts');
  const [command, ...args] = await realtime([process.execPath, prober, String(port), PROBE, String(PACE)]);
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit', 'ipc'] });
  // It may be gone before its stdin is ended; its status says so.
  child.stdin?.on('error', () => {});
  const printed = Promise.all([text(child.stdout as Readable), once(child, 'close')]).then(([samples, [status]]) => {
    if (status !== 0) throw new BenchError(`the prober ended with ${status}: the server has gone away`);
    return samples;
  });
  try {
    const begun = once(child, 'message').then(() => wait(START_MS));
    const result = await Promise.race([begun.then(work), printed.then(tooEarly)]);
    child.stdin?.end();
    return { result, samples: JSON.parse(await printed) as Sample[] };
  } finally {
    child.kill('SIGKILL');
  }
}

function tooEarly(): never {
  throw new BenchError('the prober ended before the work that it watches');
}
