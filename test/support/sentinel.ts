import { mkdtemp, open, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leash } from '../../cli/lab/leash.ts';
import { clientOf } from './fragmented.ts';
import { serverBinary } from './servers.ts';

export interface Sentinel extends AsyncDisposable {
  /** Exchanges primary and replica, and waits until Sentinel is through with it, CONFIG REWRITE included. */
  failOver(): Promise<void>;
}

/** A real Sentinel, alone (a quorum of one), that watches a primary with a replica. It is given a port that is free. */
export async function sentinelOf(primaryPort: number, port: number): Promise<Sentinel> {
  const folder = await mkdtemp(join(tmpdir(), 'offpeak-sentinel-'));
  const file = join(folder, 'sentinel.conf');
  await writeFile(
    file,
    `port ${port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 ${primaryPort} 1\nsentinel down-after-milliseconds main 60000\n`,
  );
  const log = await open(join(folder, 'sentinel.log'), 'a+');
  const binary = serverBinary('defrag');
  const held = leash([binary.path, file, '--sentinel'], { env: binary.env, scratch: folder, output: log.fd });
  await log.close();
  const client = clientOf({ port });
  client.on('error', () => undefined);
  const ask = (...args: string[]) => client.call('SENTINEL', ...args);
  return {
    async failOver() {
      const before = await until(async () => {
        const replicas = await ask('REPLICAS', 'main');
        return Array.isArray(replicas) && replicas.length > 0
          ? String(await ask('GET-MASTER-ADDR-BY-NAME', 'main'))
          : undefined;
      });
      // Refused for as long as it does not know the replica as a good one.
      await until(async () => ((await ask('FAILOVER', 'main').catch(() => undefined)) === 'OK' ? true : undefined));
      await until(async () => (String(await ask('GET-MASTER-ADDR-BY-NAME', 'main')) === before ? undefined : true));
    },
    async [Symbol.asyncDispose]() {
      client.disconnect();
      await held.release();
    },
  };
}

/** Asks until there is an answer; the test's own time-out is the bound. */
export async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
