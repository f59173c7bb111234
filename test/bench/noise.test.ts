import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { quotaSite } from '../../bench/night/noise/quota.ts';
import { type NoiseKind, refusalOf, startNoise } from '../../bench/night/noise/start.ts';
import { type Leashed, leash } from '../../cli/lab/leash.ts';
import { isRunning } from '../support/processes.ts';
import { descendants } from './descendants.ts';

/** A stop lasts 20 ms at the least, and comes about once a second. */
const IN_TIME = { timeout: 20_000, interval: 4 };
const PATIENCE = { timeout: 30_000, interval: 100 };
const OWNER = join(import.meta.dirname, 'noise-owner.ts');

/** What is disturbed. It is the test's own, so that it outlives the owner of the noise. */
let target: Leashed;
let pid = 0;
beforeEach(async () => {
  target = leash(['sleep', 'infinity']);
  pid = (await target.pid) ?? 0;
});
afterEach(() => target.release());

function isStopped(): boolean {
  return /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

/** The folder of the group with the quota; undefined while the process is in none of the bench's. */
function quotaGroup(): string | undefined {
  const home = quotaSite(readFileSync('/proc/self/mounts', 'utf8'), readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.home;
  return home?.includes('offpeak-bench-') ? home : undefined;
}

/** Each kind, and what is to be seen of it before its owner ends. */
const SEEN: Readonly<Record<Exclude<NoiseKind, 'none'>, () => void>> = {
  hogs: () => {},
  stops: () => expect(isStopped()).toBe(true),
  quota: () => expect(quotaGroup()).toBeDefined(),
};
const KINDS = ['hogs', 'stops', 'quota'] as const;
const WAYS = ['SIGINT', 'SIGTERM', 'SIGKILL'] as const;
const CASES = KINDS.flatMap((kind) => WAYS.map((signal) => ({ kind, signal })));

describe.skipIf(process.platform !== 'linux')('noise', () => {
  test.for(CASES)(
    '$kind: nothing is left behind when its owner ends by $signal',
    async ({ kind, signal }, { skip }) => {
      skip(await isRefused(kind));
      const owner = spawn(process.execPath, [OWNER, kind, `${pid}`], { stdio: ['ignore', 'pipe', 'inherit'] });
      const ended = once(owner, 'exit');
      await once(owner.stdout, 'data');
      const makers = descendants(owner.pid ?? 0);
      expect(makers.length).toBeGreaterThan(0);
      await vi.waitFor(SEEN[kind], IN_TIME);
      const group = quotaGroup();
      owner.kill(signal);
      await ended;
      await vi.waitFor(() => expect(makers.filter((one) => isRunning(one.pid))).toEqual([]), PATIENCE);
      expect({ isRunning: isRunning(pid), isStopped: isStopped(), group: quotaGroup() }).toEqual({
        isRunning: true,
        isStopped: false,
        group: undefined,
      });
      expect(group !== undefined && existsSync(group)).toBe(false);
    },
  );

  test.for(KINDS)('%s: is over when it is disposed', async (kind, { skip }) => {
    skip(await isRefused(kind));
    const noise = await startNoise(kind, pid, 1);
    await vi.waitFor(SEEN[kind], IN_TIME);
    const [group, makers] = [quotaGroup(), descendants(process.pid).filter((one) => one.pid !== pid)];
    await noise[Symbol.asyncDispose]();
    expect({ isRunning: isRunning(pid), isStopped: isStopped(), group: quotaGroup() }).toEqual({
      isRunning: true,
      isStopped: false,
      group: undefined,
    });
    expect(group !== undefined && existsSync(group)).toBe(false);
    // The leash's own watchdog takes a moment longer.
    const noisy = makers.filter(({ command }) => isNoise(command));
    await vi.waitFor(() => expect(noisy.filter((one) => isRunning(one.pid))).toEqual([]), PATIENCE);
  });

  test('a stopper that is killed in mid-stop does not leave its target stopped, and the silence is an error', async () => {
    const noise = await startNoise('stops', pid, 1);
    await vi.waitFor(SEEN.stops, IN_TIME);
    for (const { pid: maker, command } of descendants(process.pid)) {
      if (command.includes('stops.ts') && !command.startsWith('sh ')) process.kill(maker, 'SIGKILL');
    }
    await vi.waitFor(
      () => expect(descendants(process.pid).some(({ command }) => isNoise(command))).toBe(false),
      PATIENCE,
    );
    // The process is gone; that it is gone has to reach us, too.
    await wait(1000);
    await expect(noise[Symbol.asyncDispose]()).rejects.toThrow(/the noise stops ended too early, with status 137/);
    expect(isStopped()).toBe(false);
  });
});

function isNoise(command: string): boolean {
  return ['stops.ts', 'offpeak-hog', 'offpeak-quota'].some((words) => command.includes(words));
}

async function isRefused(kind: NoiseKind): Promise<boolean> {
  return (await refusalOf(kind)) !== undefined;
}
