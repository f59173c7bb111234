import type { Settings } from '../../domain/observation.ts';
import { settingsRead } from '../../format/setting-forms.ts';
import type { Configured, Rewrites } from '../../ports/node-session.ts';
import { type Command, type Connection, type Reply, textOf } from './connection.ts';
import { COMMAND_TIMEOUT_MS } from './failure.ts';
import { type InfoFields, parseInfo } from './info.ts';
import { pairs } from './observe.ts';

export async function configure(connection: Connection, settings: Settings, atomic: boolean): Promise<Configured> {
  const entries = Object.entries(settings);
  const reads = entries.map(([name]): Command => ['CONFIG', 'GET', name]);
  const writes: readonly Command[] = atomic
    ? [['CONFIG', 'SET', ...entries.flat()]]
    : entries.map(([name, value]): Command => ['CONFIG', 'SET', name, value]);
  const replies = await connection.send([...reads, ...writes], COMMAND_TIMEOUT_MS);
  const found = foundIn(entries, replies);
  const results = replies.slice(reads.length);
  const refused = results.find((reply) => !reply.ok);
  if (!refused || refused.ok) return { done: true, found };
  return { done: false, found, applied: atomic ? {} : accepted(entries, results), error: refused.error };
}

/** The values of the settings that were read, if the settings can hold them: they may be restored later. */
function foundIn(entries: readonly (readonly [string, string])[], replies: readonly Reply[]): Settings {
  const printed = entries.flatMap(([name], index) => {
    const reply = replies[index];
    const value = reply?.ok ? pairs(reply.value)[name] : undefined;
    return value === undefined ? [] : [[name, value] as const];
  });
  return settingsRead(Object.fromEntries(printed)).settings;
}

function accepted(entries: readonly (readonly [string, string])[], results: readonly Reply[]): Settings {
  return Object.fromEntries(entries.filter((_, index) => results[index]?.ok));
}

/**
 * INFO commandstats counts each subcommand since Redis 7.0 (`cmdstat_config|rewrite`), and prints only those that were called. A server
 * that refuses it is treated like one that does not count.
 */
export async function rewrites(connection: Connection): Promise<Rewrites> {
  const sections = [
    ['INFO', 'server'],
    ['INFO', 'commandstats'],
  ] as const;
  const [server, stats] = await connection.send(sections, COMMAND_TIMEOUT_MS);
  const file = parsed(server)?.get('config_file');
  const counted = parsed(stats);
  // Offpeak's own CONFIG GETs show whether subcommands are counted separately.
  const isApart = counted?.has('cmdstat_config|get') === true;
  const calls = Number(/^calls=(\d+)(?:,|$)/.exec(counted?.get('cmdstat_config|rewrite') ?? 'calls=0')?.[1]);
  return { hasFile: file !== '', ...(isApart && Number.isSafeInteger(calls) && { calls }) };
}

function parsed(reply: Reply | undefined): InfoFields | undefined {
  const text = textOf(reply);
  return text === undefined ? undefined : parseInfo(text);
}
