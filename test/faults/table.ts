import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, test } from 'vitest';

const FILE = new URL('../../docs/safety.md', import.meta.url);

/** What was seen when something went wrong. */
export interface Seen {
  /** Of the tick that met it. */
  readonly outcome: string;
  /** Ticks that reached the server until nothing of ours was left. */
  readonly clean: number;
  /** What stayed behind, by name: settings, leases, alerts. */
  readonly messes: readonly string[];
  /** Events, in any order. */
  readonly told: readonly string[];
}

/** Holds what was seen against its row in docs/safety.md; with UPDATE_DOCS=1, writes it there. */
export type ExpectRow = (seen: Seen) => void;

/**
 * The part of docs/safety.md's table that a file of tests keeps, between `<!-- faults: <file> -->` and `<!-- /faults -->`. Each row is
 * declared while the file is loaded, whether its test then runs or not: so a row that no test declares any more is found by itself.
 * With UPDATE_DOCS=1, one file at a time: each writes the whole page.
 */
export function faultTable(path: string): { row(fault: string): ExpectRow } {
  const name = basename(path);
  const declared: string[] = [];
  test('has no row in docs/safety.md whose test is gone', () => {
    if (isUpdate()) write(name, rowsOf(name), declared);
    expect([...rowsOf(name).keys()].filter((fault) => !declared.includes(fault))).toEqual([]);
  });
  return {
    row(fault) {
      if (declared.includes(fault)) throw new Error(`two tests keep the row "${fault}"`);
      declared.push(fault);
      return (seen) => {
        const line = lineOf(fault, seen);
        if (isUpdate()) write(name, rowsOf(name).set(fault, line), declared);
        expect(seen.messes).toEqual([]);
        expect(rowsOf(name).get(fault)).toBe(line);
      };
    },
  };
}

function isUpdate(): boolean {
  return process.env.UPDATE_DOCS === '1';
}

function lineOf(fault: string, { outcome, clean, messes, told }: Seen): string {
  return `| ${fault} | ${outcome} | ${clean} | ${told.toSorted().join(', ') || 'nothing: its alarms are'} | ${messes.length} |`;
}

/** Where a file's rows begin and end in the text. */
function bounds(name: string, lines: readonly string[]): readonly [number, number] {
  const start = lines.indexOf(`<!-- faults: ${name} -->`);
  const end = lines.indexOf('<!-- /faults -->', start);
  if (start < 0 || end < 0) throw new Error(`docs/safety.md has no table for ${name}`);
  return [start, end];
}

/** By fault. */
function rowsOf(name: string): Map<string, string> {
  const lines = readFileSync(FILE, 'utf8').split('\n');
  const rows = lines.slice(...bounds(name, lines)).filter((line) => /^\| (?!fault \|)/.test(line));
  return new Map(rows.map((line) => [/^\| (.*?) \|/.exec(line)?.[1] ?? '', line]));
}

/** Those that are declared, in that order. */
function write(name: string, rows: ReadonlyMap<string, string>, declared: readonly string[]): void {
  const lines = readFileSync(FILE, 'utf8').split('\n');
  const [start, end] = bounds(name, lines);
  const kept = declared.flatMap((fault) => rows.get(fault) ?? []);
  const head = ['', '| fault | outcome of the tick that meets it | clean | told | messes |', '|---|---|--:|---|--:|'];
  lines.splice(start + 1, end - start - 1, ...head, ...kept, '');
  writeFileSync(FILE, lines.join('\n'));
}
