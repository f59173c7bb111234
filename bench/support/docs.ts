import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = join(import.meta.dirname, '../../docs/performance.md');

/** With UPDATE_DOCS=1, what was printed goes into docs/performance.md, between the markers of its name. */
export function noteInDocs(name: string, text: string): void {
  if (process.env.UPDATE_DOCS !== '1') return;
  const [start, end] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`];
  const document = readFileSync(FILE, 'utf8');
  const [before, rest] = document.split(start);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`docs/performance.md has no ${start} … ${end}`);
  writeFileSync(FILE, `${before}${start}\n\n${text.trim()}\n\n${end}${after}`);
}
