import { spawnSync } from 'node:child_process';
import { z } from 'zod';

/** Milliseconds of one import in a fresh process; `cpu` does not count what other processes took meanwhile. */
export interface ImportTime {
  readonly wall: number;
  readonly cpu: number;
}

const SCRIPT = `
const [cpu, wall] = [process.cpuUsage(), performance.now()];
await import(process.argv[1]);
const { user, system } = process.cpuUsage(cpu);
console.log(JSON.stringify({ wall: performance.now() - wall, cpu: (user + system) / 1000 }));
process.exit();
`;

const Printed = z.object({ wall: z.number(), cpu: z.number() });

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
