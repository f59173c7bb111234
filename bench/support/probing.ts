import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { quantile } from '../statistics.ts';

/** What clients felt, in milliseconds. */
export interface Latencies {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly count: number;
}

const PACE = 1000;

/** Latencies of a steady client while `work` goes on. */
export async function probed<T>(
  port: number,
  key: string,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly latencies: Latencies }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'prober.ts'), String(port), key, String(PACE)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (part: Buffer) => {
    text += part;
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => resolve());
  });
  try {
    // The client's own start is not the server's latency.
    await new Promise((resolve) => setTimeout(resolve, 500));
    const result = await work();
    child.stdin.end('stop\n');
    await ended;
    return { result, latencies: latenciesOf(JSON.parse(text) as number[]) };
  } finally {
    child.kill('SIGKILL');
  }
}

function latenciesOf(microseconds: readonly number[]): Latencies {
  const at = (share: number) => quantile(microseconds, share) / 1000;
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1), count: microseconds.length };
}
