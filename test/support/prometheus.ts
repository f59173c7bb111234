import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { TestRunner } from 'vitest';
import { openApt } from '../../cli/lab/apt.ts';
import { cacheFolder, openWorkFolder } from '../../cli/lab/cache.ts';
import { runCommand } from '../../cli/lab/run-command.ts';
import { ownPort } from './ports.ts';

/** Debian's Prometheus, and its build of redis_exporter. */
interface PrometheusTools {
  readonly promtool: string;
  readonly prometheus: string;
  readonly exporter: string;
}

const PACKAGES = ['prometheus', 'prometheus-redis-exporter'];

/**
 * Downloaded from Debian or Ubuntu and unpacked into the cache, once (31 MB); nothing is installed. Where they cannot be had, the current test is
 * skipped and says why; in CI it fails.
 */
export async function prometheusTools(): Promise<PrometheusTools> {
  const folder = join(cacheFolder(), `prometheus-${process.platform}-${process.arch}`);
  try {
    if (!existsSync(join(folder, 'usr/bin/promtool'))) {
      unpacked ??= unpackInto(folder);
      await unpacked;
    }
  } catch (error) {
    const words = `no Prometheus from Debian or Ubuntu: ${error instanceof Error ? error.message : error}`;
    const context = TestRunner.getCurrentTest()?.context;
    if (process.env.CI || context === undefined) throw new Error(words);
    return context.skip(words);
  }
  const tool = (name: string) => join(folder, 'usr/bin', name);
  return { promtool: tool('promtool'), prometheus: tool('prometheus'), exporter: tool('prometheus-redis-exporter') };
}

/** One attempt for all tests of a process. */
let unpacked: Promise<void> | undefined;

async function unpackInto(folder: string): Promise<void> {
  await using work = await openWorkFolder();
  const logFile = join(work.path, 'log.txt');
  const apt = await openApt(join(work.path, 'apt'), { logFile });
  const packages = join(work.path, 'packages');
  await mkdir(packages);
  await apt.get(['download', ...PACKAGES], packages);
  const content = join(work.path, 'unpacked');
  for (const name of await readdir(packages))
    await runCommand(['dpkg-deb', '-x', join(packages, name), content], { logFile });
  // Another process may have been faster: its folder is as good.
  await rename(content, folder).catch((error: unknown) => {
    if (!existsSync(join(folder, 'usr/bin/promtool'))) throw error;
  });
}

interface Running extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
}

/** A program that serves HTTP on a free loopback port, until it is disposed of or this process ends. */
export async function serving(
  path: string,
  argsFor: (address: string) => readonly string[],
  ready: string,
): Promise<Running> {
  const port = await ownPort();
  const child = spawn('sh', ['-c', LEASH, 'sh', path, ...argsFor(`127.0.0.1:${port}`)], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    child.stdin?.end();
    await ended;
  };
  const deadline = Date.now() + 60_000;
  while (!(await answers(`${url}${ready}`))) {
    if (Date.now() < deadline && child.exitCode === null) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      continue;
    }
    await stop();
    throw new Error(`${path} does not answer at ${ready}`);
  }
  return { port, url, [Symbol.asyncDispose]: stop };
}

/** Ends the program when the tests end, in whatever way. */
const LEASH = 'exec 3<&0; "$@" & pid=$!; (cat <&3 >/dev/null; kill -9 $pid) & wait $pid';

async function answers(url: string): Promise<boolean> {
  return await fetch(url, { signal: AbortSignal.timeout(5000) }).then(
    ({ ok }) => ok,
    () => false,
  );
}
