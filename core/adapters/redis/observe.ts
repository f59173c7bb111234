import type { Milliseconds } from '../../config/units.ts';
import type {
  CycleEvent,
  DefragState,
  LatencyEvent,
  Observation,
  OddField,
  Settings,
} from '../../domain/observation.ts';
import { settingsRead } from '../../format/setting-forms.ts';
import { NodeFailure } from '../../ports/node-session.ts';
import type { Command, Connection, Reply } from './connection.ts';
import { requireDataNode } from './data-node.ts';
import { identifyEngine, isClusterNode } from './engine.ts';
import { errorCode } from './failure.ts';
import { guardedActivity, guardedMemory, persistence, replication, shortestUptime } from './guard-fields.ts';
import { infoRefusalText } from './hints.ts';
import {
  firstOf,
  type InfoFields,
  type InfoLines,
  infoLines,
  numberOf,
  runIdField,
  textField,
  unambiguous,
} from './info.ts';
import { activity, defragCounters, keyCount } from './load-fields.ts';
import { memorySample } from './memory-fields.ts';
import { oddFields } from './odd-fields.ts';

const LOOK_TIMEOUT_MS = 2000;

/**
 * One observation is one round trip. One INFO for each section: several in one call need Redis 7.0, and `INFO all` would go through
 * every command's statistics. CONFIG GET takes one pattern before 7.0. `stats` comes last, so that it counts all other commands of this
 * observation.
 */
const INFO_SECTIONS = ['server', 'memory', 'persistence', 'replication', 'cpu', 'keyspace', 'stats'] as const;

const CONFIG_PATTERNS = ['*active*defrag*', 'hz', 'latency-monitor-threshold'] as const;

const CYCLE = 'active-defrag-cycle';

/** LATENCY_TS_LEN (latency.h): a server keeps no more events of a kind. */
const MOST_CYCLES = 160;

const LOOK: readonly Command[] = [
  ...CONFIG_PATTERNS.map((pattern): Command => ['CONFIG', 'GET', pattern]),
  ['LATENCY', 'LATEST'],
  ['LATENCY', 'HISTORY', CYCLE],
  ...INFO_SECTIONS.map((section): Command => ['INFO', section]),
];

/** @throws {NodeFailure} when the node does not answer, or answers INFO with an error. */
export async function observe(
  connection: Connection,
  node: string,
  now: () => number,
  monotonicNow?: () => Milliseconds,
): Promise<Observation> {
  const ownCommands = connection.sent + LOOK.length - 1;
  const replies = await connection.send(LOOK, LOOK_TIMEOUT_MS);
  const at = now();
  const monotonic = monotonicNow?.();
  const configs = replies.slice(0, CONFIG_PATTERNS.length);
  const [latency, history] = replies.slice(CONFIG_PATTERNS.length);
  const texts = replies.slice(-INFO_SECTIONS.length).map((reply) => infoLines(infoText(reply, connection)));
  const lines = texts.flat();
  const fields = firstOf(texts.flatMap(unambiguous));
  await requireDataNode(connection, lines, fields);
  const { address } = connection;
  const odd = oddFields(texts);
  const answers = { node, address, at, ownCommands, texts, lines, fields, odd, configs, latency, history };
  // A copy: a part of a text would keep the whole text in memory, for as long as the observation is kept.
  return structuredClone({ ...assemble(answers), ...(monotonic !== undefined && { monotonic }) });
}

/** Without INFO there is no observation: the server is still loading, busy with a script, or refuses. */
function infoText(reply: Reply, connection: Connection): string {
  if (!reply.ok) throw infoRefusal(reply.error, connection);
  if (typeof reply.value !== 'string') throw new NodeFailure('not-redis', 'INFO did not return a text');
  return reply.value;
}

/** A proxy without INFO, or a server on which it is renamed, answers; there is nothing to watch. */
function infoRefusal(error: string, { isAddressed }: Connection): NodeFailure {
  if (/(?:unknown|unsupported) command|command.{0,40}not supported/i.test(error)) {
    const remedy = 'put the servers behind it into the config, or allow INFO';
    return new NodeFailure(
      'not-data-node',
      `the server does not know INFO, as proxies do: ${remedy} (${error.slice(0, 100)})`,
    );
  }
  const kind = isCredentialError(error) ? 'wrong-credentials' : 'refused';
  return new NodeFailure(kind, infoRefusalText(error, errorCode(error), isAddressed));
}

function isCredentialError(error: string): boolean {
  return ['NOAUTH', 'WRONGPASS'].includes(errorCode(error));
}

interface Answers {
  readonly node: string;
  readonly address: string | undefined;
  readonly at: number;
  readonly ownCommands: number;
  readonly texts: readonly InfoLines[];
  readonly lines: InfoLines;
  readonly fields: InfoFields;
  readonly odd: readonly OddField[];
  readonly configs: readonly Reply[];
  readonly latency: Reply | undefined;
  readonly history: Reply | undefined;
}

function assemble(answers: Answers): Observation {
  const { node, address, at, ownCommands, texts, lines, fields, odd, configs, latency, history } = answers;
  const runId = runIdField(fields);
  const uptime = shortestUptime(lines);
  const keys = keyCount(fields);
  return {
    node,
    ...(address !== undefined && { address }),
    at,
    engine: identifyEngine(fields),
    ...(runId !== undefined && { runId }),
    ...(uptime !== undefined && { uptime: uptime * 1000 }),
    ...(keys !== undefined && { keys }),
    ...(odd.length > 0 && { oddFields: odd }),
    memory: { ...memorySample(texts), ...guardedMemory(lines) },
    activity: { ...activity(fields), ...guardedActivity(lines), ownCommands },
    persistence: persistence(lines),
    replication: replication(lines, textField(fields, 'role')),
    defrag: {
      ...defragCounters(fields),
      ...defragSettings(configs),
      ...latencyEvent(latency),
      ...cycleEvents(history),
    },
    ...(isClusterNode(fields) && { isCluster: true }),
    refused: [
      ...(configs.some((reply) => !reply.ok) ? ['config|get'] : []),
      ...(latency?.ok === false ? ['latency|latest'] : []),
      ...(history?.ok === false ? ['latency|history'] : []),
    ],
  };
}

function defragSettings(replies: readonly Reply[]): Pick<DefragState, 'settings' | 'odd'> {
  const answered = replies.filter((reply) => reply.ok);
  if (answered.length === 0) return {};
  const printed = answered.flatMap(({ value }) => Object.entries(pairs(value)));
  const { settings, odd } = settingsRead(Object.fromEntries(printed));
  return { settings, ...(odd.length > 0 && { odd }) };
}

/** CONFIG GET in RESP2: a flat list of names and values. */
export function pairs(value: unknown): Settings {
  if (!Array.isArray(value)) return {};
  const names = value.filter((_, index) => index % 2 === 0);
  return Object.fromEntries(names.map((name, index) => [String(name), String(value[2 * index + 1] ?? '')]));
}

/** LATENCY LATEST: a list of [event, epoch seconds of the latest, its milliseconds, the longest ever]. */
function latencyEvent(reply: Reply | undefined): { readonly latency?: LatencyEvent } {
  if (!reply?.ok || !Array.isArray(reply.value)) return {};
  const event = reply.value.find((entry) => Array.isArray(entry) && entry[0] === CYCLE);
  if (!event) return {};
  const [at, latest, max] = event.slice(1, 4).map(figure);
  return at === undefined || latest === undefined || max === undefined ? {} : { latency: { at, latest, max } };
}

/** LATENCY HISTORY: a list of [epoch seconds, milliseconds], oldest first. */
function cycleEvents(reply: Reply | undefined): { readonly cycles?: readonly CycleEvent[] } {
  if (!reply?.ok || !Array.isArray(reply.value)) return {};
  const cycles = reply.value.flatMap((entry): CycleEvent[] => {
    const [at, took] = Array.isArray(entry) ? entry.slice(0, 2).map(figure) : [];
    return at === undefined || took === undefined ? [] : [{ at, took }];
  });
  return { cycles: cycles.slice(-MOST_CYCLES) };
}

/** A number of the protocol, or one in a text. */
function figure(value: unknown): number | undefined {
  return typeof value === 'number' || typeof value === 'string' ? numberOf(String(value)) : undefined;
}
