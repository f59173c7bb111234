import { obstacleIn } from '../../core/diagnosis/prospect.ts';
import { type PartGroup, runningFork } from '../../core/domain/account.ts';
import type { Diagnosis, Layers, Little } from '../../core/domain/diagnosis.ts';
import { bytesText, percentText } from '../../core/format/units.ts';
import { obstacleNote } from '../../core/reporting/wording/obstacle.ts';
import { type Segment, stackedBar } from './bars.ts';
import { GLYPHS, type Glyph, type PartLine, partLines } from './parts.ts';
import type { Style } from './style.ts';

/** Where RSS goes, layer by layer, in the order of the bar. */
interface LayerLook {
  readonly name: string;
  readonly glyph: Glyph;
  readonly bytes: (layers: Layers) => number;
  /** Whose parts are named below it. */
  readonly group: PartGroup;
  /** What returns it, only where that applies on this node: it would be read as advice. */
  readonly note: (diagnosis: Diagnosis, rss: number) => string;
}

const LAYERS: readonly LayerLook[] = [
  { name: 'data', glyph: GLYPHS.data, bytes: ({ allocated }) => allocated, group: 'data', note: () => '' },
  {
    name: 'fragmentation',
    glyph: GLYPHS.fragmentation,
    bytes: ({ externalFragmentation }) => externalFragmentation,
    group: 'unknown',
    note: defragNote,
  },
  { name: 'free pages', glyph: GLYPHS.pages, bytes: ({ freePages }) => freePages, group: 'unknown', note: purgeNote },
  {
    name: 'overhead',
    glyph: GLYPHS.overhead,
    bytes: ({ overhead }) => overhead,
    group: 'process',
    note: overheadNote,
  },
];

const NAME_COLUMNS = 13;
const BYTES_COLUMNS = 10;
const SHARE_COLUMNS = 8;
/** Of RSS; what a heap keeps after both actions is about as much. */
const NORMAL_RESERVE = 0.01;
/** Of RSS; fragmentation beyond it is seen in the bar. */
const LARGE_SHARE = 0.1;

/** What defrag returns with the purge that follows it; without one, its pages leave in their own time. */
export function defragNote({ account, reclaimable, prospects }: Diagnosis): string {
  const { defrag, purge } = prospects;
  if (defrag.kind === 'little') return littleNote(reclaimable.defrag, account?.total ?? Infinity, defrag);
  if (defrag.kind !== 'worthwhile') return obstacleNote(defrag);
  if (defrag.unproven) return `active defrag, if this build can: ${bytesText(reclaimable.defrag)} back`;
  return `active defrag${obstacleIn(purge) ? '' : ', then a purge'}: ${bytesText(reclaimable.defrag)} back`;
}

/** A large share of a small server is not little: then its limit says why nothing is done. */
function littleNote(reclaim: number, rss: number, { floor }: Little): string {
  return floor !== undefined && reclaim > LARGE_SHARE * rss
    ? `${bytesText(reclaim)} to return, below minReclaim (${bytesText(floor)})`
    : 'little for active defrag to return';
}

export function purgeNote({ reclaimable: { purge }, prospects }: Diagnosis, rss: number): string {
  const { kind } = prospects.purge;
  if (kind === 'worthwhile') return `MEMORY PURGE: ${bytesText(purge.reclaim)} back`;
  if (kind !== 'little') return obstacleNote(prospects.purge);
  return purge.reclaim > NORMAL_RESERVE * rss
    ? 'little for a purge to return'
    : 'normal: the allocator keeps about this much';
}

function overheadNote({ layers, findings, account }: Diagnosis): string {
  if ((layers?.overhead ?? 0) < 0) return 'allocated and not in RAM: never touched, or swapped';
  const isUnknown = findings.some(({ kind }) => kind === 'overhead');
  if (isUnknown) return 'INFO does not say what: see below';
  const isHeld = findings.some((finding) => finding.kind === 'held' && ['scripts', 'functions'].includes(finding.by));
  // Since Redis 7.4 Lua is in the data.
  const isLua = isHeld && account?.parts.some(({ kind, group }) => group === 'process' && kind.endsWith('-vm'));
  return isLua ? 'Lua, code, stacks, modules: see below' : 'no action returns it: code, stacks, Lua, modules';
}

/** RSS as one bar of `cells`; `scale` (bytes) draws several on one scale. */
export function layersBar(layers: Layers, cells: number, style: Style, scale = 0): string {
  const segments = LAYERS.map(({ glyph, bytes }) => segment(bytes(layers), glyph, style));
  return stackedBar(segments, cells, style, scale);
}

/** What the bar is made of: bytes, share of RSS, and what returns each layer. Large parts of a layer are named below it. */
export function legendLines(diagnosis: Diagnosis, style: Style): readonly string[] {
  const { account, layers } = diagnosis;
  const fork = account ? runningFork(account) : 0;
  const lines = layers ? layeredLines(diagnosis, layers, style) : unlayeredLines(diagnosis, style);
  const note = 'copied by the fork that runs, beside RSS';
  return fork > 0 ? [...lines, legendLine('fork', GLYPHS.overhead, style, figuresText(fork, 0), note)] : lines;
}

function layeredLines(diagnosis: Diagnosis, layers: Layers, style: Style): readonly string[] {
  const { findings } = diagnosis;
  const whole = wholeOf(LAYERS.map(({ bytes }) => bytes(layers)));
  const isTooSmall = findings.some(({ kind }) => kind === 'too-small');
  return LAYERS.flatMap((layer) => {
    const bytes = layer.bytes(layers);
    const note = isTooSmall ? '' : layer.note(diagnosis, sumOf(layers));
    return [
      legendLine(layer.name, layer.glyph, style, figuresText(bytes, whole), note),
      ...(isTooSmall ? [] : partLines(diagnosis, [layer.group])).map((line) => partLine(line, whole, style)),
    ];
  });
}

function unlayeredLines(diagnosis: Diagnosis, style: Style): readonly string[] {
  const { account } = diagnosis;
  if (account?.of !== 'rss') return [];
  const whole = wholeOf(account.parts.map(({ bytes }) => bytes));
  return partLines(diagnosis, ['data', 'process', 'unknown']).map(({ name, glyph, bytes, note }) =>
    legendLine(name, glyph, style, figuresText(bytes, whole), note),
  );
}

function partLine({ name, glyph, bytes, note }: PartLine, whole: number, style: Style): string {
  return legendLine(` ${name}`, glyph, style, figuresText(bytes, whole), note);
}

/** What the shares are of: more than RSS, where not all that is allocated is in RAM. */
function wholeOf(bytes: readonly number[]): number {
  return bytes.reduce((sum, value) => sum + Math.max(0, value), 0);
}

/** What is below zero is not a share of anything. */
function figuresText(bytes: number, whole: number): string {
  const share = whole > 0 && bytes >= 0 ? percentText((bytes / whole) * 100) : '';
  return bytesText(bytes).padStart(BYTES_COLUMNS) + share.padStart(SHARE_COLUMNS);
}

/** The same, before and after an action. */
export function comparingLegend(before: Layers, after: Layers, style: Style): readonly string[] {
  return LAYERS.map(({ name, glyph, bytes }) => {
    const [was, is] = [bytes(before), bytes(after)];
    const figures = `${bytesText(was).padStart(BYTES_COLUMNS)} ${style.unicode ? '→' : '->'}${bytesText(is).padStart(BYTES_COLUMNS)}`;
    return legendLine(name, glyph, style, figures, changeText(is - was));
  });
}

/** RSS, as the layers add up to it. */
export function sumOf({ allocated, externalFragmentation, freePages, overhead }: Layers): number {
  return allocated + externalFragmentation + freePages + overhead;
}

function legendLine(name: string, glyph: Glyph, { paint, unicode }: Style, figures: string, note: string): string {
  const line = `${paint(glyph.tone, unicode ? glyph.block : glyph.ascii)} ${name.padEnd(NAME_COLUMNS)}${figures}`;
  return note === '' ? line.trimEnd() : `${line}   ${paint(glyph.tone, note)}`;
}

function segment(value: number, { tone, block, ascii }: Glyph, { unicode }: Style): Segment {
  return { value, glyph: unicode ? block : ascii, tone };
}

function changeText(change: number): string {
  if (change === 0) return '';
  return `${change > 0 ? '+' : ''}${bytesText(change)}`;
}
