import { mkdtemp, open, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { leash } from '../../cli/lab/leash.ts';
import type { RunningServer } from '../../cli/lab/start.ts';
import { clientOf } from './fragmented.ts';
import { ownPort } from './ports.ts';
import { defragServer, serverBinary } from './servers.ts';

interface Sentinel extends AsyncDisposable {
  /** Exchanges primary and replica, and waits until Sentinel is through with it, CONFIG REWRITE included. */
  failOver(): Promise<void>;
}

/** A real Sentinel, alone (a quorum of one), that watches a primary with a replica. It is given a port that is free. */
export async function sentinelOf(primaryPort: number, port: number): Promise<Sentinel> {
  const held = await startSentinel(port, [`sentinel monitor main 127.0.0.1 ${primaryPort} 1`]);
  const client = clientOf({ port });
  client.on('error', () => undefined);
  return {
    failOver: () => exchanged(client),
    async [Symbol.asyncDispose]() {
      client.disconnect();
      await held.release();
    },
  };
}

/** A primary, its replicas and three sentinels (a quorum of two), all of them processes. */
interface SentinelSet extends AsyncDisposable {
  readonly nodes: readonly RunningServer[];
  /** Of the sentinels: `redis://127.0.0.1:port`. */
  readonly urls: readonly string[];
  /** Exchanges the primary, and waits until all sentinels say so. Returns the address of the new one. */
  failOver(): Promise<string>;
  /** Starts one more replica of the primary, and waits until all sentinels know it. */
  add(): Promise<RunningServer>;
  /** Ends a sentinel, by its index. */
  end(sentinel: number): Promise<void>;
}

/** @param password of the sentinels */
export async function aSentinelSet({ password }: { readonly password?: string } = {}): Promise<SentinelSet> {
  const nodes = [await defragServer()];
  const follow = (port: number) => ['--replicaof', '127.0.0.1', `${port}`, '--repl-diskless-sync-delay', '0'];
  const first = nodes[0]?.port ?? 0;
  for (let replica = 0; replica < 2; replica++) nodes.push(await defragServer({ args: follow(first) }));
  const secret = password === undefined ? [] : [`requirepass ${password}`, `sentinel sentinel-pass ${password}`];
  const sentinels = await Promise.all(
    [0, 1, 2].map(async () => {
      const port = await ownPort();
      const held = await startSentinel(port, [`sentinel monitor main 127.0.0.1 ${first} 2`, ...secret]);
      const client = new Redis({
        host: '127.0.0.1',
        port,
        protocol: 2,
        enableReadyCheck: false,
        ...(password !== undefined && { password }),
      });
      client.on('error', () => undefined);
      return { port, held, client };
    }),
  );
  const [leader] = sentinels;
  if (!leader) throw new Error('no sentinel was started');
  const known = async (replicas: number, others: number) => {
    for (const { client } of sentinels)
      await until(async () => {
        const fields = await client.call('SENTINEL', 'MASTER', 'main').catch(() => []);
        const said = new Map(pairs(fields));
        const isWell = said.get('num-slaves') === `${replicas}` && said.get('num-other-sentinels') === `${others}`;
        return isWell || undefined;
      });
  };
  await known(2, 2);
  return {
    nodes,
    urls: sentinels.map(({ port }) => `redis://127.0.0.1:${port}`),
    async failOver() {
      await exchanged(leader.client);
      const address = String(await leader.client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'main')).replace(',', ':');
      for (const { client } of sentinels)
        await until(
          async () =>
            String(await client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'main')).replace(',', ':') === address ||
            undefined,
        );
      return address;
    },
    async add() {
      const [, port] = (await leader.client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'main')) as string[];
      const added = await defragServer({ args: follow(Number(port)) });
      nodes.push(added);
      await known(nodes.length - 1, 2);
      return added;
    },
    async end(sentinel) {
      sentinels[sentinel]?.client.disconnect();
      await sentinels[sentinel]?.held.release();
    },
    async [Symbol.asyncDispose]() {
      for (const { client } of sentinels) client.disconnect();
      await Promise.all([...sentinels.map(({ held }) => held.release()), ...nodes.map((node) => node.stop())]);
    },
  };
}

function pairs(fields: unknown): readonly (readonly [string, string])[] {
  const list = Array.isArray(fields) ? fields.map(String) : [];
  return list.flatMap((name, index) => (index % 2 === 0 ? [[name, list[index + 1] ?? ''] as const] : []));
}

async function startSentinel(port: number, lines: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'offpeak-sentinel-'));
  const file = join(folder, 'sentinel.conf');
  const usual = [`port ${port}`, 'bind 127.0.0.1', ...lines, 'sentinel down-after-milliseconds main 60000'];
  await writeFile(file, `${usual.join('\n')}\n`);
  const log = await open(join(folder, 'sentinel.log'), 'a+');
  const binary = serverBinary('defrag');
  const held = leash([binary.path, file, '--sentinel'], { env: binary.env, scratch: folder, output: log.fd });
  await log.close();
  return held;
}

async function exchanged(client: Redis): Promise<void> {
  const ask = (...args: string[]) => client.call('SENTINEL', ...args);
  const before = await until(async () => {
    const replicas = await ask('REPLICAS', 'main');
    return Array.isArray(replicas) && replicas.length > 0
      ? String(await ask('GET-MASTER-ADDR-BY-NAME', 'main'))
      : undefined;
  });
  // Refused for as long as it does not know the replica as a good one.
  await until(async () => ((await ask('FAILOVER', 'main').catch(() => undefined)) === 'OK' ? true : undefined));
  await until(async () => (String(await ask('GET-MASTER-ADDR-BY-NAME', 'main')) === before ? undefined : true));
}

/** Asks until there is an answer; the test's own time-out is the bound. */
export async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
