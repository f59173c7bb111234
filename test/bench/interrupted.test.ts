import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test, vi } from 'vitest';
import { isRunning } from '../support/processes.ts';
import { lacksServer, serverBinary } from '../support/servers.ts';
import { descendants } from './descendants.ts';

/** The prober comes when the allocator is at rest, after a quarter of a minute. */
const PATIENCE = { timeout: 50_000, interval: 200 };
const BENCH = join(import.meta.dirname, '..', '..', 'bench');

function start(script: string, args: readonly string[], redis: string) {
  const env = { ...process.env, REDIS_SERVER: redis };
  return spawn(process.execPath, [join(BENCH, script), ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] });
}

const SHARED = ['--megabytes=0', '--repeats=some', '--shape=round', '--nonsense'];
const NIGHT = ['--runs=0', '--scale=-1', '--seed=x', '--recipe=cake', '--arm=leg', '--noise=music', '--nonsense'];

describe.each([
  ['latency.ts', SHARED],
  ['prediction.ts', SHARED],
  ['night.ts', NIGHT],
])('bench/%s', (script, wrong) => {
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

  test.concurrent.each(wrong)('says that %s is wrong', async (arg) => {
    const stderr = await refused([arg]);
    expect(stderr).toContain(arg.split('=')[0]);
    expect(stderr.split('\n')).toHaveLength(2);
  });
});

const UNDER_WAY = [
  {
    script: 'latency.ts',
    args: ['--megabytes', '10', '--repeats', '1', '--shape', 'strings'],
    seen: ['prober.ts', 'redis-server'],
  },
  {
    script: 'night.ts',
    args: ['--recipe', 'compaction', '--arm', 'nothing', '--noise', 'stops'],
    seen: ['prober.ts', 'redis-server', 'stops.ts'],
  },
] as const;
const CASES = UNDER_WAY.flatMap((one) => (['SIGINT', 'SIGKILL'] as const).map((signal) => ({ ...one, signal })));

describe.skipIf(process.platform !== 'linux' || lacksServer('defrag'))('under way', () => {
  test.concurrent.each(CASES)(
    'bench/$script leaves nothing behind after $signal',
    async ({ script, args, signal, seen }) => {
      const run = start(script, args, serverBinary('defrag').path);
      const ended = once(run, 'exit');
      const left = await vi.waitFor(() => {
        const all = descendants(run.pid ?? 0);
        for (const name of seen) expect(all.some(({ command }) => command.includes(name))).toBe(true);
        return all;
      }, PATIENCE);
      run.kill(signal);
      await ended;
      await vi.waitFor(() => expect(left.filter(({ pid }) => isRunning(pid))).toEqual([]), PATIENCE);
    },
  );
});
