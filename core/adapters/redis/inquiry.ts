import type { NodeAddress } from '../../config/address.ts';
import { isLoopback } from '../../config/clear-text.ts';
import type { Milliseconds } from '../../config/units.ts';
import type { Inquiry } from '../../domain/audit.ts';
import type { Observation } from '../../domain/observation.ts';
import { present } from '../../domain/present.ts';
import { machineOf } from '../machine.ts';
import { type Command, type Connection, type Reply, textOf } from './connection.ts';
import { firstOf, type InfoFields, infoLines, numberField, valuesOf, wordField } from './info.ts';
import { pairs } from './observe.ts';
import { parseVersion } from './version.ts';

const TIMEOUT_MS = 2000;

/** Never `requirepass` and its like: CONFIG GET prints them. */
const SETTINGS = [
  'maxmemory-policy',
  'jemalloc-bg-thread',
  'disable-thp',
  'save',
  'appendonly',
  'aof-use-rdb-preamble',
  'protected-mode',
  'bind',
] as const;

const INFOS = ['server', 'replication', 'stats', 'keyspace'] as const;

/** What Offpeak sends, as ACL DRYRUN takes it: by name as ACL rules have it. Nothing of it is carried out. */
export const RIGHTS: Readonly<Record<string, Command>> = {
  info: ['INFO', 'memory'],
  'memory|purge': ['MEMORY', 'PURGE'],
  'config|get': ['CONFIG', 'GET', 'hz'],
  'config|set': ['CONFIG', 'SET', 'hz', '10'],
  'latency|latest': ['LATENCY', 'LATEST'],
  'latency|history': ['LATENCY', 'HISTORY', 'active-defrag-cycle'],
  'client|setname': ['CLIENT', 'SETNAME', 'offpeak'],
  ping: ['PING'],
  // What Offpeak never needs.
  flushall: ['FLUSHALL'],
};

const OF_CLUSTER: Readonly<Record<string, Command>> = {
  'cluster|info': ['CLUSTER', 'INFO'],
  'cluster|nodes': ['CLUSTER', 'NODES'],
};

/**
 * What only an audit asks: reads alone. MEMORY MALLOC-STATS takes a millisecond of the main thread (measured on Redis 7.0.15, 200,000 keys).
 * A user with the least rights gets refusals, which ACL LOG notes.
 * @throws {NodeFailure} when the node does not answer.
 */
export async function inquire(
  connection: Connection,
  node: NodeAddress,
  { engine, isCluster, memory }: Pick<Observation, 'engine' | 'isCluster' | 'memory'>,
  waits: readonly Milliseconds[],
): Promise<Inquiry> {
  const isJemalloc = memory.memAllocator?.startsWith('jemalloc') === true;
  const commands: readonly Command[] = [
    ['MEMORY', 'DOCTOR'],
    ['ACL', 'WHOAMI'],
    ...(isJemalloc ? [['MEMORY', 'MALLOC-STATS'] as const] : [['PING'] as const]),
    ...INFOS.map((section): Command => ['INFO', section]),
    ...SETTINGS.map((name): Command => ['CONFIG', 'GET', name]),
  ];
  const [doctor, whoami, stats, ...more] = await connection.send(commands, TIMEOUT_MS);
  const lines = more.slice(0, INFOS.length).flatMap((reply) => infoLines(textOf(reply) ?? ''));
  const fields = firstOf(lines);
  const user = userIn(whoami);
  const asked = { ...RIGHTS, ...(isCluster && OF_CLUSTER) };
  const isWithoutUsers = (parseVersion(engine.version)?.[0] ?? 6) < 6;
  const rights = isWithoutUsers ? allowed(asked) : await dryRun(connection, user, asked);
  return {
    ...present({
      settings: settingsIn(more.slice(INFOS.length)),
      doctor: doctorIn(textOf(doctor)),
      decay: isJemalloc ? decayIn(textOf(stats)) : undefined,
      user,
      expires: expiresIn(valuesOf(lines, /^db\d+$/)),
      replicationId: wordField(fields, 'master_replid'),
      lastFork: milliseconds(numberField(fields, 'latest_fork_usec')),
      machine: await ownMachine(node, fields),
    }),
    rights,
    waits,
  };
}

/** They are shown, and written into a config: one line of printable ASCII. `bind` is the longest. */
const SETTING = /^[ -~]{0,1024}$/;

/** Only what was asked for, in a form that is safe to print. */
function settingsIn(replies: readonly Reply[]): Inquiry['settings'] {
  const answered = replies.flatMap((reply) => (reply.ok ? Object.entries(pairs(reply.value)) : []));
  const names: readonly string[] = SETTINGS;
  return replies.some((reply) => reply.ok)
    ? Object.fromEntries(answered.filter(([name, value]) => names.includes(name) && SETTING.test(value)))
    : undefined;
}

/** ` * Peak memory: In the past this instance …` (object.c getMemoryDoctorReport). */
function doctorIn(text: string | undefined): Inquiry['doctor'] {
  if (text === undefined) return undefined;
  return [...text.matchAll(/^ ?\* ([A-Z][A-Za-z ]{1,40}):/gm)].map(([, name = '']) => name);
}

/** `opt.dirty_decay_ms: 10000 (arenas.dirty_decay_ms: 10000)`: the latter is what new arenas get. */
function decayIn(text = ''): Inquiry['decay'] {
  const [dirty, muzzy] = ['dirty', 'muzzy'].map((kind) => {
    const found = new RegExp(
      `opt\\.${kind}_decay_ms: (-?\\d{1,15})(?: \\(arenas\\.${kind}_decay_ms: (-?\\d{1,15})\\))?`,
    );
    const [, own, arenas = own] = found.exec(text) ?? [];
    return arenas === undefined ? undefined : Number(arenas);
  });
  return dirty === undefined || muzzy === undefined ? undefined : { dirty, muzzy };
}

const USER = /^[\x21-\x7e]{1,128}$/;

function userIn(reply: Reply | undefined): string | undefined {
  const user = textOf(reply);
  return user !== undefined && USER.test(user) ? user : undefined;
}

function allowed(asked: Readonly<Record<string, Command>>): Inquiry['rights'] {
  return Object.fromEntries(Object.keys(asked).map((name) => [name, true]));
}

/** ACL DRYRUN answers OK, or with a text that says what the user may not. Redis 7.0; refused, it says nothing. */
async function dryRun(
  connection: Connection,
  user: string | undefined,
  asked: Readonly<Record<string, Command>>,
): Promise<Inquiry['rights']> {
  if (user === undefined) return {};
  const names = Object.keys(asked);
  const tries = Object.values(asked).map((command): Command => ['ACL', 'DRYRUN', user, ...command]);
  const replies = await connection.send(tries, TIMEOUT_MS);
  return Object.fromEntries(
    replies.flatMap((reply, index) => {
      const text = textOf(reply);
      return text === undefined ? [] : [[names[index] ?? '', text === 'OK']];
    }),
  );
}

/** `keys=200000,expires=12,avg_ttl=0` */
function expiresIn(databases: readonly string[]): number {
  return databases.reduce((sum, text) => sum + Number(/(?:^|,)expires=(\d{1,15})(?:,|$)/.exec(text)?.[1] ?? 0), 0);
}

function milliseconds(micros: number | undefined): Milliseconds | undefined {
  return micros === undefined ? undefined : micros / 1000;
}

/** A loopback address may be a tunnel: the process has to be here, too. */
async function ownMachine(node: NodeAddress, fields: InfoFields): Promise<Inquiry['machine']> {
  const [pid, port] = [numberField(fields, 'process_id'), numberField(fields, 'tcp_port')];
  return isLoopback(node) && pid !== undefined ? await machineOf(pid, port ?? node.port) : undefined;
}
