import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';

const FILE = new URL('../../docs/safety.md', import.meta.url);

/** A row of the table in docs/safety.md: what was seen when something went wrong. */
export interface Row {
  readonly fault: string;
  /** Of the tick that met it. */
  readonly outcome: string;
  /** Ticks that reached the server until nothing of ours was left. */
  readonly clean: number;
  /** Events, in any order. */
  readonly told: readonly string[];
}

/** Holds what was seen against docs/safety.md; with UPDATE_DOCS=1, writes it there. */
export function expectRow({ fault, outcome, clean, told }: Row): void {
  const line = `| ${fault} | ${outcome} | ${clean} | ${told.toSorted().join(', ') || 'nothing: its alarms are'} | 0 |`;
  const text = readFileSync(FILE, 'utf8');
  if (process.env.UPDATE_DOCS !== '1') {
    expect(text.split('\n')).toContain(line);
    return;
  }
  const lines = text.split('\n');
  const at = lines.findIndex((one) => one.startsWith(`| ${fault} |`));
  const end = lines.indexOf('<!-- faults:end -->');
  if (at >= 0) lines[at] = line;
  else lines.splice(end - 1, 0, line);
  writeFileSync(FILE, lines.join('\n'));
}
