import { obstacleIn } from '../../core/diagnosis/prospect.ts';
import type { Diagnosis, Layers } from '../../core/domain/diagnosis.ts';
import { bytesText, percentText } from '../../core/format/units.ts';
import { obstacleNote } from '../../core/reporting/wording/obstacle.ts';
import { type Segment, stackedBar } from './bars.ts';
import type { Style, Tone } from './style.ts';

/** Where RSS goes, layer by layer, in the order of the bar. */
interface LayerLook {
  readonly name: string;
  readonly tone: Tone;
  readonly block: string;
  readonly ascii: string;
  readonly bytes: (layers: Layers) => number;
  /** What returns it, only where that applies on this node: it would be read as advice. */
  readonly note: (diagnosis: Diagnosis, rss: number) => string;
}

const LOOKS: readonly LayerLook[] = [
  {
    name: 'data',
    tone: 'data',
    block: '█',
    ascii: '#',
    bytes: ({ allocated }) => allocated,
    note: () => '',
  },
  {
    name: 'fragmentation',
    tone: 'fragmentation',
    block: '▓',
    ascii: 'o',
    bytes: ({ externalFragmentation }) => externalFragmentation,
    note: defragNote,
  },
  {
    name: 'free pages',
    tone: 'pages',
    block: '▒',
    ascii: '+',
    bytes: ({ freePages }) => freePages,
    note: purgeNote,
  },
  {
    name: 'overhead',
    tone: 'overhead',
    block: '░',
    ascii: '.',
    bytes: ({ overhead }) => overhead,
    note: () => 'no action returns it: code, stacks, Lua, modules',
  },
];

const NAME_COLUMNS = 13;
const BYTES_COLUMNS = 10;
/** Of RSS; what a heap keeps after both actions is about as much. */
const NORMAL_RESERVE = 0.01;

/** What defrag returns with the purge that follows it; without one, its pages leave in their own time. */
export function defragNote({ reclaimable, prospects }: Diagnosis): string {
  const { defrag, purge } = prospects;
  if (defrag.kind === 'little') return 'little for active defrag to return';
  if (defrag.kind !== 'worthwhile') return obstacleNote(defrag);
  if (defrag.unproven) return `active defrag, if this build can: ${bytesText(reclaimable.defrag)} back`;
  return `active defrag${obstacleIn(purge) ? '' : ', then a purge'}: ${bytesText(reclaimable.defrag)} back`;
}

export function purgeNote({ reclaimable: { purge }, prospects }: Diagnosis, rss: number): string {
  const { kind } = prospects.purge;
  if (kind === 'worthwhile') return `MEMORY PURGE: ${bytesText(purge.reclaim)} back`;
  if (kind !== 'little') return obstacleNote(prospects.purge);
  return purge.reclaim > NORMAL_RESERVE * rss ? 'little for a purge to return' : 'normal allocator reserve';
}

/** RSS as one bar of `cells`; `scale` (bytes) draws several on one scale. */
export function layersBar(layers: Layers, cells: number, style: Style, scale = 0): string {
  const segments = LOOKS.map(
    ({ tone, bytes, block, ascii }): Segment => ({
      value: bytes(layers),
      glyph: style.unicode ? block : ascii,
      tone,
    }),
  );
  return stackedBar(segments, cells, style, scale);
}

/** What the bar is made of: bytes, share of RSS, and what returns each layer. */
export function legendLines(diagnosis: Diagnosis, style: Style): readonly string[] {
  const { layers, findings } = diagnosis;
  if (!layers) return [];
  const total = sumOf(layers);
  const isTooSmall = findings.some(({ kind }) => kind === 'too-small');
  return LOOKS.map((look) => {
    const share = total > 0 ? percentText((look.bytes(layers) / total) * 100) : '';
    const figures = bytesText(look.bytes(layers)).padStart(BYTES_COLUMNS) + share.padStart(8);
    return legendLine(look, style, figures, isTooSmall ? '' : look.note(diagnosis, total));
  });
}

/** The same, before and after an action. */
export function comparingLegend(before: Layers, after: Layers, style: Style): readonly string[] {
  return LOOKS.map((look) => {
    const [was, is] = [look.bytes(before), look.bytes(after)];
    const figures = `${bytesText(was).padStart(BYTES_COLUMNS)} ${style.unicode ? '→' : '->'}${bytesText(is).padStart(BYTES_COLUMNS)}`;
    return legendLine(look, style, figures, changeText(is - was));
  });
}

/** RSS, as the layers add up to it. */
export function sumOf({ allocated, externalFragmentation, freePages, overhead }: Layers): number {
  return allocated + externalFragmentation + freePages + overhead;
}

function legendLine(
  { name, tone, block, ascii }: LayerLook,
  { paint, unicode }: Style,
  figures: string,
  note: string,
): string {
  const line = `${paint(tone, unicode ? block : ascii)} ${name.padEnd(NAME_COLUMNS)}${figures}`;
  return note === '' ? line : `${line}   ${paint(tone, note)}`;
}

function changeText(change: number): string {
  if (change === 0) return '';
  return `${change > 0 ? '+' : ''}${bytesText(change)}`;
}
