import type { Milliseconds } from '../../config/units.ts';
import { type ByteCommand, type Connection, textOf } from './connection.ts';
import { COMMAND_TIMEOUT_MS } from './failure.ts';
import { parseInfo } from './info.ts';

interface Count {
  readonly calls: number;
  readonly usec: number;
}

/** Subcommands are counted apart since Redis 7.0 (`cmdstat_memory|usage`), before that together (`cmdstat_memory`). */
const CONTAINERS = ['memory', 'object'];

/**
 * What the commands of one connection cost the server, by its own count. Other clients send the same commands, so each counts with the mean of
 * its time since the last count.
 */
export class CommandCosts {
  readonly #connection: Connection;
  #own = new Map<string, number>();
  #before: ReadonlyMap<string, Count> | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  count(commands: readonly ByteCommand[]): void {
    for (const [name, sub] of commands) {
      const lower = name.toLowerCase();
      const full = CONTAINERS.includes(lower) ? `${lower}|${String(sub).toLowerCase()}` : lower;
      this.#own.set(full, (this.#own.get(full) ?? 0) + 1);
    }
  }

  /** Since the last call. Undefined at the first one, where the server does not say, and where its counters were reset in between. */
  async spent(): Promise<Milliseconds | undefined> {
    const [reply] = await this.#connection.send([['INFO', 'commandstats']], COMMAND_TIMEOUT_MS);
    const now = countsIn(textOf(reply) ?? '');
    const own = this.#own;
    const before = this.#before;
    this.#own = new Map();
    this.#before = now;
    if (before === undefined) return undefined;
    const parts = [...own].map(([name, calls]) => costOf(name, calls, before, now));
    return parts.every((part) => part !== undefined) ? parts.reduce((sum, part) => sum + part, 0) / 1000 : undefined;
  }
}

function costOf(
  name: string,
  own: number,
  before: ReadonlyMap<string, Count>,
  now: ReadonlyMap<string, Count>,
): number | undefined {
  const key = now.has(name) ? name : (name.split('|')[0] ?? name);
  const after = now.get(key);
  const { calls = 0, usec = 0 } = before.get(key) ?? {};
  if (!after || after.calls <= calls || after.usec < usec) return undefined;
  return (own * (after.usec - usec)) / (after.calls - calls);
}

/** `cmdstat_type:calls=12,usec=9,usec_per_call=0.75,…` */
function countsIn(text: string): ReadonlyMap<string, Count> {
  const counts = new Map<string, Count>();
  for (const [name, value] of parseInfo(text)) {
    const match = /^calls=(\d{1,15}),usec=(\d{1,15})(?:,|$)/.exec(value);
    if (match && name.startsWith('cmdstat_'))
      counts.set(name.slice('cmdstat_'.length), { calls: Number(match[1]), usec: Number(match[2]) });
  }
  return counts;
}
