import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import getPort from 'get-port';
import pLimit from 'p-limit';
import { runCommand } from '../../cli/lab/run-command.ts';

const PACKAGE = 'prometheus-redis-exporter';
const SCRAPES_AT_ONCE = 128;
/** Of /proc/<pid>/stat (proc(5)); a tick is 10 ms on Linux. */
const [UTIME, TICK_MS] = [13, 10];

/** The program of Debian's package, unpacked into a folder and not installed; undefined where it cannot be had. */
export async function findExporter(parent: string): Promise<string | undefined> {
  const folder = join(parent, 'exporter');
  mkdirSync(folder);
  try {
    await runCommand(['apt-get', 'download', PACKAGE, '-o', 'APT::Sandbox::User=root'], { cwd: folder });
    const [archive = ''] = readdirSync(folder);
    await runCommand(['dpkg-deb', '-x', join(folder, archive), folder], {});
    return join(folder, 'usr/bin', PACKAGE);
  } catch {
    return undefined;
  }
}

export interface Scraped {
  /** Milliseconds. */
  readonly wall: number;
  readonly cpu: number;
  /** Bytes, at most. */
  readonly rss: number;
  readonly answered: number;
}

/** Scrapes each target once, as Prometheus does: 128 at once. */
export async function scrape(program: string, targets: readonly string[]): Promise<Scraped> {
  const port = await getPort();
  const args = [`-web.listen-address=127.0.0.1:${port}`, '-redis.addr=', '-connection-timeout=3s'];
  const child = spawn(program, args, { stdio: 'ignore' });
  const agent = new Agent({ keepAlive: true, maxSockets: SCRAPES_AT_ONCE });
  const metricsOf = (target: string) =>
    new Promise<string>((resolve, reject) => {
      const url = `http://127.0.0.1:${port}/scrape?target=${encodeURIComponent(target)}`;
      get(url, { agent }, async (response) => {
        resolve(Buffer.concat(await response.toArray()).toString());
      }).on('error', reject);
    });
  try {
    for (let tries = 0; tries < 100; tries++) {
      if ((await metricsOf('redis://127.0.0.1:1').catch(() => '')) !== '') break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const [from, before] = [performance.now(), cpuOf(child.pid)];
    const pages = await pLimit(SCRAPES_AT_ONCE).map(targets, metricsOf);
    const wall = performance.now() - from;
    const answered = pages.filter((page) => /^redis_up 1$/m.test(page)).length;
    const peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]);
    return { wall, cpu: cpuOf(child.pid) - before, rss: peak * 1024, answered };
  } finally {
    agent.destroy();
    child.kill('SIGKILL');
  }
}

function cpuOf(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[UTIME - 2]) + Number(fields[UTIME - 1])) * TICK_MS;
}
