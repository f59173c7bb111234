import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command, Connection, Reply } from '../../core/adapters/redis/connection.ts';
import { observe } from '../../core/adapters/redis/observe.ts';
import type { Observation } from '../../core/domain/observation.ts';
import { NODE, NOW, SETTINGS } from './builders.ts';

const FOLDER = join(import.meta.dirname, '..', 'fixtures', 'reports');

/** An INFO text in the proportions of a public report, with fields replaced, added, or taken out where undefined. */
export function reportInfo(name: string, fields: Readonly<Record<string, string | number | undefined>> = {}): string {
  const text = readFileSync(join(FOLDER, `${name}.info`), 'utf8');
  const kept = text.split('\n').filter((line) => !Object.hasOwn(fields, line.split(':')[0] ?? ''));
  const added = Object.entries(fields).flatMap(([field, value]) => (value === undefined ? [] : [`${field}:${value}`]));
  return [...kept, ...added].join('\n');
}

/** A look at a server that answers with this INFO text. */
export async function lookAtReport(
  info: string,
  settings: Readonly<Record<string, string>> | 'refused' = SETTINGS,
): Promise<Observation> {
  const config: Reply =
    settings === 'refused'
      ? { ok: false, error: "ERR unknown command 'CONFIG'" }
      : { ok: true, value: Object.entries(settings).flat() };
  const answer = ([name, section]: Command): Reply => {
    if (name === 'INFO') return { ok: true, value: section === 'server' ? info : '' };
    return name === 'CONFIG' ? config : { ok: true, value: [] };
  };
  const connection: Connection = { sent: 1, send: async (commands) => commands.map(answer), close: () => {} };
  return await observe(connection, NODE, () => NOW);
}
