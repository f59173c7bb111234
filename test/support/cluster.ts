import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { RunningServer } from '../../cli/lab/start.ts';
import { clientOf } from './fragmented.ts';
import { ownPort } from './ports.ts';
import { defragServer } from './servers.ts';

/** One process of a Cluster. */
export interface ClusterNode {
  readonly server: RunningServer;
  readonly redis: Redis;
  /** In its cluster; it stays when the address changes. */
  readonly id: string;
  /** Over TLS, where the Cluster has it. */
  readonly tlsPort?: number;
  /** `127.0.0.1:port`. */
  readonly address: string;
}

/** A Redis Cluster of real processes. */
export interface Cluster extends AsyncDisposable {
  /** Primaries first, then the replica of each, in the same order; then what was added. */
  readonly nodes: readonly ClusterNode[];
  node(index: number): ClusterNode;
  /** Starts one more process that joins. With `replicaOf` it follows that node; without, it is a primary without slots. */
  add(replicaOf?: number): Promise<ClusterNode>;
  /** All others forget it, and it ends. */
  remove(index: number): Promise<void>;
  /** Moves slots without keys, as a resharding does in its last step. */
  moveSlots(slots: readonly number[], to: number): Promise<void>;
  /** The replica takes over from its primary. */
  failOver(replica: number): Promise<void>;
  /** Waits until each node that is to answer says that all is well, and names the same nodes. */
  settled(): Promise<void>;
}

const SLOTS = 16_384;
/** A quiet machine needs three seconds at most. */
const SETTLE_MS = 60_000;

/** @param args of each server, after the usual ones; `shards`: each has a primary and, unless `replicas` is false, a replica */
export async function aCluster({
  shards = 3,
  replicas = true,
  args = () => [],
  start: startServer = defragServer,
  tls,
}: {
  readonly shards?: number;
  readonly replicas?: boolean;
  readonly args?: (index: number) => readonly string[];
  readonly start?: typeof defragServer;
  /** The settings of a server's certificate: then nodes speak TLS with each other, and with clients on a second port. */
  readonly tls?: readonly string[];
} = {}): Promise<Cluster> {
  const nodes: ClusterNode[] = [];
  const removed = new Set<ClusterNode>();
  const live = () => nodes.filter((node) => !removed.has(node));
  const node = (index: number): ClusterNode => {
    const found = nodes[index];
    if (!found) throw new Error(`the cluster has no node ${index}`);
    return found;
  };
  const start = async () => {
    const started = await startNode(startServer, args(nodes.length), tls);
    nodes.push(started);
    return started;
  };
  const settled = async () => {
    const deadline = performance.now() + SETTLE_MS;
    while (!(await agree(live()))) {
      if (performance.now() > deadline)
        throw new Error(`the Cluster does not settle:
${await viewsOf(live())}`);
      await delay(50);
    }
  };
  const cluster: Cluster = {
    nodes,
    node,
    settled,
    async add(replicaOf) {
      const added = await start();
      await meet(added, node(0));
      await settled();
      if (replicaOf !== undefined) await follow(added, node(replicaOf));
      await settled();
      return added;
    },
    async remove(index) {
      const gone = node(index);
      removed.add(gone);
      await stop(gone);
      await Promise.all(live().map(({ redis }) => redis.call('CLUSTER', 'FORGET', gone.id)));
      await settled();
    },
    async moveSlots(slots, to) {
      const { id } = node(to);
      // A replica refuses it, and hears of it from its primary.
      for (const slot of slots)
        for (const { redis } of [node(to), ...live().filter((one) => one !== node(to))])
          await redis.call('CLUSTER', 'SETSLOT', `${slot}`, 'NODE', id).catch(() => undefined);
      await settled();
    },
    async failOver(replica) {
      const { redis } = node(replica);
      // On a busy machine it may time out, after five seconds; while it is under way, another one is refused.
      while (!(await redis.info('replication')).includes('role:master')) {
        await redis.call('CLUSTER', 'FAILOVER').catch(() => undefined);
        await delay(500);
      }
      await settled();
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(live().map(stop));
    },
  };
  try {
    for (let index = 0; index < shards * (replicas ? 2 : 1); index++) await start();
    for (const other of nodes.slice(1)) await meet(other, node(0));
    for (let index = 0; index < shards; index++) {
      const [from, to] = [index, index + 1].map((edge) => Math.floor((edge * SLOTS) / shards));
      const slots = Array.from({ length: (to ?? 0) - (from ?? 0) }, (_, slot) => `${(from ?? 0) + slot}`);
      await node(index).redis.call('CLUSTER', 'ADDSLOTS', ...slots);
    }
    await settled();
    if (replicas) for (let index = 0; index < shards; index++) await follow(node(shards + index), node(index));
    await settled();
    return cluster;
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
}

async function startNode(
  startServer: typeof defragServer,
  args: readonly string[],
  tls: readonly string[] | undefined,
): Promise<ClusterNode> {
  const port = await busPort();
  const tlsPort = tls && (await busPort());
  const secure = tls ? ['--tls-port', `${tlsPort}`, '--tls-cluster', 'yes', '--tls-auth-clients', 'no', ...tls] : [];
  const usual = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000', '--repl-diskless-sync-delay', '0'];
  const server = await startServer({ port, args: [...usual, ...secure, ...args] });
  const redis = clientOf(server);
  redis.on('error', () => undefined);
  const id = String(await redis.call('CLUSTER', 'MYID'));
  return { server, redis, id, address: `127.0.0.1:${port}`, ...(tlsPort !== undefined && { tlsPort }) };
}

/** The bus is 10,000 above the port: both below the ports that systems hand out by themselves. */
async function busPort(): Promise<number> {
  return await ownPort(20_000, 22_750);
}

async function stop({ redis, server }: ClusterNode): Promise<void> {
  redis.disconnect();
  await server.stop();
}

async function meet({ redis }: ClusterNode, { server, tlsPort }: ClusterNode): Promise<void> {
  await redis.call('CLUSTER', 'MEET', '127.0.0.1', `${tlsPort ?? server.port}`);
}

async function follow({ redis }: ClusterNode, primary: ClusterNode): Promise<void> {
  // Refused for as long as it does not know that node.
  while ((await redis.call('CLUSTER', 'REPLICATE', primary.id).catch(() => undefined)) !== 'OK') await delay(50);
}

/** Each is up, names the same nodes as the others and none as failing, and each replica has its data. */
async function agree(nodes: readonly ClusterNode[]): Promise<boolean> {
  const said = await Promise.all(
    nodes.map(async ({ redis }) => {
      const [info, lines, replication] = await Promise.all([
        redis.call('CLUSTER', 'INFO'),
        redis.call('CLUSTER', 'NODES'),
        redis.info('replication'),
      ]);
      const isWell = String(info).includes('cluster_state:ok') && !/master_link_status:down/.test(replication);
      return isWell ? viewIn(String(lines)) : undefined;
    }),
  );
  const [first, ...others] = said;
  return first !== undefined && first.length === nodes.length && others.every((one) => one?.join() === first.join());
}

async function viewsOf(nodes: readonly ClusterNode[]): Promise<string> {
  const views = nodes.map(async ({ address, redis }) => `${address}\n${await redis.call('CLUSTER', 'NODES')}`);
  return (await Promise.all(views)).join('\n');
}

function viewIn(lines: string): readonly string[] {
  const rows = lines
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  return rows.map(([id, , flags = '', primary]) => `${id} ${flags.replace('myself,', '')} ${primary}`).toSorted();
}
