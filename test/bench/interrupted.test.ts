import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test, vi } from 'vitest';
import { isRunning } from '../support/processes.ts';
import { lacksServer, serverBinary } from '../support/servers.ts';

/** The prober comes when the allocator is at rest, after a quarter of a minute. */
const PATIENCE = { timeout: 50_000, interval: 200 };
const BENCH = join(import.meta.dirname, '..', '..', 'bench');

function start(script: string, args: readonly string[], redis: string) {
  const env = { ...process.env, REDIS_SERVER: redis };
  return spawn(process.execPath, [join(BENCH, script), ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] });
}

describe.each(['latency.ts', 'prediction.ts'])('bench/%s', (script) => {
  async function refused(args: readonly string[]): Promise<string> {
    const run = start(script, args, '/nonexistent/redis-server');
    const [stderr, [code]] = await Promise.all([text(run.stderr), once(run, 'exit')]);
    expect(code).toBe(1);
    return stderr;
  }

  test.concurrent('says in a line that there is no server, and fails', async () => {
    const words = /^bench:\w+: REDIS_SERVER=\/nonexistent\/redis-server is not an executable file.*\n$/;
    expect(await refused([])).toMatch(words);
  });

  test.concurrent.each(['--megabytes=0', '--repeats=some', '--shape=round', '--nonsense'])(
    'says that %s is wrong',
    async (arg) => {
      const stderr = await refused([arg]);
      expect(stderr).toContain(arg.split('=')[0]);
      expect(stderr.split('\n')).toHaveLength(2);
    },
  );
});

/** Its children, and theirs. */
function descendants(pid: number): readonly { readonly pid: number; readonly command: string }[] {
  const all = readdirSync('/proc').flatMap((name) => {
    try {
      const [, parent = ''] = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${name}/status`, 'utf8')) ?? [];
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
      return [{ pid: Number(name), parent: Number(parent), command }];
    } catch {
      // No process, or one that ended while we looked.
      return [];
    }
  });
  const of = (parent: number): typeof all =>
    all.filter((one) => one.parent === parent).flatMap((one) => [one, ...of(one.pid)]);
  return of(pid);
}

describe.skipIf(process.platform !== 'linux' || lacksServer('defrag'))('bench/latency.ts, under way', () => {
  test.concurrent.each(['SIGINT', 'SIGKILL'] as const)(
    'leaves neither server nor prober behind after %s',
    async (signal) => {
      const args = ['--megabytes', '10', '--repeats', '1', '--shape', 'strings'];
      const run = start('latency.ts', args, serverBinary('defrag').path);
      const ended = once(run, 'exit');
      const left = await vi.waitFor(() => {
        const seen = descendants(run.pid ?? 0);
        for (const name of ['prober.ts', 'redis-server']) {
          expect(seen.some(({ command }) => command.includes(name))).toBe(true);
        }
        return seen;
      }, PATIENCE);
      run.kill(signal);
      await ended;
      await vi.waitFor(() => expect(left.filter(({ pid }) => isRunning(pid))).toEqual([]), PATIENCE);
    },
  );
});
