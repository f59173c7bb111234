import {
  bytesOfClass,
  type MemoryAccount,
  PART_CLASS,
  type Part,
  type PartClass,
  type PartKind,
} from '../../core/domain/account.ts';
import type { Diagnosis } from '../../core/domain/diagnosis.ts';
import type { Segment } from './bars.ts';
import type { Style, Tone } from './style.ts';

/** How the parts of the account are drawn: several parts share a glyph, and a finer line of the legend names each. */
export interface Glyph {
  readonly tone: Tone;
  readonly block: string;
  readonly ascii: string;
}

export const GLYPHS: Readonly<Record<PartClass, Glyph>> = {
  data: { tone: 'data', block: '█', ascii: '#' },
  buffers: { tone: 'warning', block: '▞', ascii: '=' },
  scripts: { tone: 'warning', block: '▚', ascii: '%' },
  fragmentation: { tone: 'fragmentation', block: '▓', ascii: 'o' },
  pages: { tone: 'pages', block: '▒', ascii: '+' },
  overhead: { tone: 'overhead', block: '░', ascii: '.' },
};

const NAMES: Readonly<Record<PartKind, string>> = {
  keys: 'keys',
  data: 'rest of data',
  dictionaries: 'dictionaries',
  'other-overhead': 'not keys',
  'client-buffers': 'clients',
  'replica-buffers': 'replicas',
  'replication-backlog': 'backlog',
  'full-sync-buffer': 'full sync',
  'cluster-links': 'bus links',
  'slot-migration': 'slots',
  'aof-buffer': 'AOF buffer',
  scripts: 'scripts',
  functions: 'functions',
  startup: 'startup',
  uncounted: 'uncounted',
  'external-fragmentation': 'fragmentation',
  'free-pages': 'dirty',
  'muzzy-pages': 'muzzy',
  'scripts-vm': 'scripts',
  'functions-vm': 'functions',
  process: 'other',
  'not-resident': 'not in RAM',
  'beyond-used': 'beyond used',
  unknown: 'unknown',
};

/** The account as segments of one bar, in the order of `GLYPHS`. */
export function segmentsOf(account: MemoryAccount, { unicode }: Style): readonly Segment[] {
  return Object.entries(GLYPHS).map(([name, { tone, block, ascii }]) => ({
    value: bytesOfClass(account, name as PartClass),
    glyph: unicode ? block : ascii,
    tone,
  }));
}

/** Below this share of the whole, a part has no line of its own. */
const LINE_SHARE = 0.02;

export interface PartLine {
  readonly name: string;
  readonly glyph: Glyph;
  readonly bytes: number;
  readonly note: string;
}

/** Those of these parts that deserve a line: none where one of them is nearly everything. */
export function partLines(diagnosis: Diagnosis, groups: readonly Part['group'][]): readonly PartLine[] {
  const { account } = diagnosis;
  const parts = account?.parts.filter(({ group }) => groups.includes(group)) ?? [];
  const large = parts.filter(({ bytes }) => Math.abs(bytes) >= LINE_SHARE * (account?.total ?? 0));
  return large.length < 2 ? [] : large.map((part) => lineOf(part, diagnosis));
}

function lineOf({ kind, bytes }: Part, diagnosis: Diagnosis): PartLine {
  return { name: NAMES[kind], glyph: GLYPHS[PART_CLASS[kind]], bytes, note: noteOf(kind, diagnosis) };
}

const NOTES: Partial<Record<PartKind, string>> = {
  'client-buffers': 'CLIENT LIST shows whose',
  'replica-buffers': 'a replica reads too slowly',
  'replication-backlog': 'repl-backlog-size sets it',
  'full-sync-buffer': 'freed after the sync',
  'cluster-links': 'CLUSTER LINKS shows whose',
  'aof-buffer': 'waits for the disk',
  scripts: 'SCRIPT FLUSH frees them',
  functions: 'FUNCTION LIST shows whose',
  'scripts-vm': 'SCRIPT FLUSH frees them',
  'functions-vm': 'FUNCTION LIST shows whose',
};

/** Only what a finding speaks of: it would be read as advice. */
function noteOf(kind: PartKind, diagnosis: Diagnosis): string {
  const holder = kind.replace(/-vm$/, '');
  const isFound = diagnosis.findings.some((finding) => finding.kind === 'held' && finding.by === holder);
  return isFound ? (NOTES[kind] ?? '') : '';
}
