import type { Layers } from '../../../core/domain/diagnosis.ts';
import { bytesText } from '../../../core/format/units.ts';
import { html, type Markup } from './page.ts';

/** A bar of RSS, broken down. */
interface Bar {
  readonly label: string;
  readonly layers: Layers;
  /** Behind the bar. */
  readonly note: string;
}

/** The parts in the order of the bar, with the class that colours them. */
const PARTS = [
  { name: 'data', of: ({ allocated }: Layers) => allocated },
  { name: 'fragmentation', of: ({ externalFragmentation }: Layers) => externalFragmentation },
  { name: 'pages', of: ({ freePages }: Layers) => freePages },
  { name: 'overhead', of: ({ overhead }: Layers) => overhead },
] as const;

const NAMES = { data: 'data', fragmentation: 'fragmentation', pages: 'free pages', overhead: 'overhead' };

const WIDTH = 960;
const LABELS = 230;
const NOTES = 190;
const ROW = 30;
const HEIGHT = 18;

/** Bars below one another on one scale, as an SVG that colours itself by the page. Each part says its size on hover and to a screen reader. */
export function barsMarkup(title: string, bars: readonly Bar[]): Markup {
  const scale = Math.max(1, ...bars.map(({ layers }) => totalOf(layers)));
  const room = WIDTH - LABELS - NOTES;
  const rows = bars.map((bar, at) => rowMarkup(bar, at * ROW, room / scale));
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${title}, bars"><svg class="chart" viewBox="0 0 ${WIDTH} ${bars.length * ROW + 4}" role="img" aria-label="${title}: ${bars.map(spoken).join('; ')}">
<line x1="${LABELS}" y1="0" x2="${LABELS}" y2="${bars.length * ROW}"/>
${rows}</svg></div>
<p class="key">${PARTS.map(({ name }) => html`<span><svg viewBox="0 0 10 10" aria-hidden="true"><rect class="${name}" width="10" height="10"/></svg>${NAMES[name]}</span>`)}</p>`;
}

function totalOf(layers: Layers): number {
  return PARTS.reduce((sum, { of }) => sum + Math.max(0, of(layers)), 0);
}

function rowMarkup({ label, layers, note }: Bar, y: number, perByte: number): Markup {
  let x = LABELS;
  const parts = PARTS.map(({ name, of }) => {
    const width = Math.max(0, of(layers)) * perByte;
    const from = x;
    x += width;
    return html`<rect class="${name}" x="${from.toFixed(1)}" y="${y + 6}" width="${width.toFixed(1)}" height="${HEIGHT}"><title>${NAMES[name]} ${bytesText(of(layers))}</title></rect>`;
  });
  const base = y + 20;
  return html`<g><text x="${LABELS - 10}" y="${base}" text-anchor="end">${label}</text>${parts}<text x="${(x + 8).toFixed(1)}" y="${base}" class="faint">${note}</text></g>
`;
}

function spoken({ label, layers }: Bar): string {
  return `${label} ${PARTS.map(({ name, of }) => `${NAMES[name]} ${bytesText(of(layers))}`).join(', ')}`;
}
