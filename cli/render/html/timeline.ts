import { bytesText, timeText } from '../../../core/format/units.ts';
import { type NodeNight, returnedBy, type Span } from '../../report/night.ts';
import { html, type Markup } from './page.ts';

/** What a timeline shows of a node. */
export interface Row extends Pick<NodeNight, 'actions' | 'spans'> {
  readonly label: string;
  /** When its window was open, where the config is known. */
  readonly windows: readonly Span[];
}

const WIDTH = 960;
const LABELS = 230;
const NOTES = 130;
const ROW = 30;
const AXIS = 26;
const TICKS = 5;

/**
 * A night as an SVG: a row for each node, its window as a band, each defrag as a bar and each action's end as a mark. Everything that it
 * shows is in words in the tables below it as well.
 */
export function timelineMarkup(rows: readonly Row[], { from, until }: Span, timezone: string): Markup {
  const length = Math.max(1, until - from);
  const x = (at: number) => LABELS + (Math.min(Math.max(at, from), until) - from) * ((WIDTH - LABELS - NOTES) / length);
  const height = rows.length * ROW + AXIS;
  const axis = Array.from({ length: TICKS + 1 }, (_, at) => from + (length * at) / TICKS);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Picture: the night"><svg class="chart" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="When Offpeak acted: ${rows.map(({ label, actions }) => `${label} ${actions.length}`).join('; ')}">
${axis.map((at) => html`<line x1="${x(at).toFixed(1)}" y1="0" x2="${x(at).toFixed(1)}" y2="${rows.length * ROW}"/><text x="${x(at).toFixed(1)}" y="${height - 8}" text-anchor="middle" class="faint">${clock(at, timezone)}</text>`)}
${rows.map((row, index) => rowMarkup(row, index * ROW, x))}</svg></div>
<p class="key"><span><svg viewBox="0 0 10 10" aria-hidden="true"><rect class="window" width="10" height="10"/></svg>window open</span><span><svg viewBox="0 0 10 10" aria-hidden="true"><rect class="fragmentation" width="10" height="10"/></svg>active defrag on</span><span><svg viewBox="0 0 10 10" aria-hidden="true"><circle class="pages" cx="5" cy="5" r="5"/></svg>purge</span></p>`;
}

/** `02:30` */
function clock(at: number, timezone: string): string {
  return /\d\d:\d\d/.exec(timeText(at, { timezone }))?.[0] ?? '';
}

function rowMarkup({ label, windows, spans, actions }: Row, y: number, x: (at: number) => number): Markup {
  const bar = (name: string, { from, until }: Span, inset: number) =>
    html`<rect class="${name}" x="${x(from).toFixed(1)}" y="${y + inset}" width="${Math.max(2, x(until) - x(from)).toFixed(1)}" height="${ROW - 2 * inset}"/>`;
  const purges = actions.filter(({ verdict }) => verdict.action === 'purge');
  const returned = returnedBy(actions);
  return html`<g><text x="${LABELS - 10}" y="${y + 20}" text-anchor="end">${label}</text>
${windows.map((span) => bar('window', span, 3))}${spans.map((span) => bar('fragmentation', span, 9))}
${purges.map(({ at }) => html`<circle class="pages" cx="${x(at).toFixed(1)}" cy="${y + ROW / 2}" r="5"/>`)}
<text x="${WIDTH - NOTES + 10}" y="${y + 20}" class="faint">${actions.length === 0 ? '' : `${bytesText(returned)} back`}</text></g>
`;
}
