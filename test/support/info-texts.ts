import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '..', 'fixtures', 'info');

/** Every captured and every written INFO text, by its name without `.txt`. */
export const INFO_NAMES: readonly string[] = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.txt'))
  .map((file) => file.slice(0, -'.txt'.length))
  .sort();

/** One INFO text, e.g. `redis-7.0.15`, all of its sections. */
export function infoText(name: string): string {
  return readFileSync(join(FOLDER, `${name}.txt`), 'utf8');
}

/** What `INFO <section>` would have answered; empty where the server has no such section. */
export function infoSection(text: string, section: string): string {
  const parts = text.split(/^(?=# )/m);
  return parts.find((part) => part.toLowerCase().startsWith(`# ${section}\n`)) ?? '';
}
