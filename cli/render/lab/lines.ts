import { bytesText, countText, durationText, percentText, ratioText } from '../../../core/format/units.ts';
import { wrapText } from '../../../core/format/wrap.ts';
import { EXPIRING_S } from '../../lab/article.ts';
import { ARMS, OF_THE_ARTICLE } from '../../lab/trial/arms.ts';
import {
  type ArmResult,
  type Moment,
  ratioOf,
  returnedBy,
  shareOfRestart,
  type TrialResult,
} from '../../lab/trial/result.ts';
import { layersBar } from '../layers.ts';
import { GLYPHS } from '../parts.ts';
import type { Style } from '../style.ts';
import { tableLines } from '../table.ts';
import { armText } from './words.ts';

const COLUMNS = 96;
const CELLS = 44;
const MOMENT_CELLS = 32;
/**
 * mem_fragmentation_ratio by the article's own table, after so many seconds. Its last row is of the fifth minute and has data left, all of
 * which its script lets expire before: it stands beside the last row that has any.
 */
const THE_ARTICLES: Readonly<Record<number, number>> = { 60: 1.41, 180: 1.77, [EXPIRING_S]: 2.58 };

export const MOMENT_HEADS = ['when', 'used', 'RSS', 'ratio', 'article', 'fragmentation', 'free pages'];
const MOMENT_WIDTHS = [17, 9, 10, 7, 9, 15, 12];

export function momentHead({ paint }: Style): string {
  return paint('faint', padded(MOMENT_HEADS));
}

/** A row of the article's table. `scale`: RSS with everything written, of which the bars are shares. */
export function momentLine(moment: Moment, clock: number, scale: number, style: Style): string {
  const bar = layersBar(moment.reading.layers, MOMENT_CELLS, style, scale);
  return `${padded(momentCells(moment, clock))}  ${bar}`.trimEnd();
}

/** The whole table, under its title. */
export function momentLines(
  { title, clock, moments }: NonNullable<TrialResult['table']>,
  style: Style,
): readonly string[] {
  const scale = moments[0]?.reading.rss ?? 1;
  return [
    '',
    style.paint('strong', `The article's table: ${title}`),
    momentHead(style),
    ...moments.map((moment) => momentLine(moment, clock, scale, style)),
  ];
}

/** The cells of `MOMENT_HEADS`. Rows of a fast clock have pages that the article's had not: only at rest they can be compared. */
export function momentCells({ when, reading }: Moment, clock: number): readonly string[] {
  const { used, rss, layers } = reading;
  const at = clock === 1 ? when : when === 'rest' ? EXPIRING_S : undefined;
  const theirs = typeof at === 'number' ? THE_ARTICLES[at] : undefined;
  return [
    momentName(when),
    bytesText(used),
    bytesText(rss),
    ratioText(ratioOf(reading)),
    theirs === undefined ? '' : ratioText(theirs),
    bytesText(layers.externalFragmentation),
    bytesText(layers.freePages),
  ];
}

export function momentName(when: Moment['when']): string {
  if (when === 'rest') return 'at rest';
  if (when === 'swept') return 'expired removed';
  return when === 0 ? 'written' : `after ${durationText(when * 1000)}`;
}

/** Why the rows of a fast clock are not those of the article's. */
export function clockNote(clock: number): string | undefined {
  if (clock === 1) return undefined;
  return `TTLs run ${countText(clock)} times faster here, and jemalloc's decay does not: until "at rest" the rows have free pages that would have left by then.`;
}

/** A row as soon as it is known: the columns cannot wait for the widest cell. */
function padded(cells: readonly string[]): string {
  const width = (column: number) => MOMENT_WIDTHS[column] ?? 0;
  const all = cells.map((cell, column) => (column === 0 ? cell.padEnd(width(0)) : cell.padStart(width(column))));
  return `  ${all.join('')}`.trimEnd();
}

/** The picture, the table and the sentences of all arms. */
export function trialLines(result: TrialResult, style: Style): readonly string[] {
  const { arms, failed, table } = result;
  const { paint } = style;
  const note = table && clockNote(table.clock);
  return [
    ...(note ? wrapText(note, COLUMNS).map((line) => paint('faint', `  ${line}`)) : []),
    '',
    paint('strong', `RSS at rest after each arm: ${result.title}`),
    ...armBars(arms, style),
    `  ${legend(style)}`,
    '',
    ...armTable(arms, style),
    '',
    paint('strong', 'What each arm did'),
    ...arms.flatMap((arm) => paragraph(ARMS[arm.arm], armText(arm, arms))),
    ...failed.flatMap(({ arms, problem }) =>
      paragraph(arms.map((arm) => ARMS[arm]).join(', ') || 'the table', `not measured: ${problem}`).map((line) =>
        paint('bad', line),
      ),
    ),
    '',
    paint('faint', `  ${provenance(result)}`),
  ];
}

/** What has to be known to get these figures again. */
export function provenance({ server, seed, scale, clock, lasted }: TrialResult): string {
  const clocked =
    clock === undefined || clock === 1 ? '' : `, TTLs ${countText(clock)} times faster than the article's`;
  return `Server ${server.version}, scale ${scale}, seed ${seed}${clocked}; took ${durationText(lasted)}.`;
}

function armBars(arms: readonly ArmResult[], style: Style): readonly string[] {
  const scale = Math.max(...arms.map(({ after }) => after.rss));
  return arms.map(({ arm, after }) => {
    const bar = layersBar(after.layers, CELLS, style, scale);
    return `  ${style.paint('faint', ARMS[arm].padEnd(NAME_COLUMNS))} ${bar}  ${bytesText(after.rss)}, ${ratioText(ratioOf(after))} x used`;
  });
}

const NAME_COLUMNS = Math.max(...Object.values(ARMS).map(({ length }) => length));

function legend({ paint, unicode }: Style): string {
  const kinds = {
    data: GLYPHS.data,
    fragmentation: GLYPHS.fragmentation,
    'free pages': GLYPHS.pages,
    overhead: GLYPHS.overhead,
  };
  return Object.entries(kinds)
    .map(([name, { tone, block, ascii }]) => `${paint(tone, unicode ? block : ascii)} ${name}`)
    .join('   ');
}

export const ARM_HEADS = [
  'arm',
  'RSS before',
  'at rest after',
  'returned',
  'of a restart',
  'used',
  'fragmentation',
  's',
  'CPU s',
];
const ARM_FIGURES = [1, 2, 3, 4, 5, 6, 7, 8];

function armTable(arms: readonly ArmResult[], { paint }: Style): readonly string[] {
  const [head = '', ...lines] = tableLines([ARM_HEADS, ...arms.map((arm) => armCells(arm, arms))], ARM_FIGURES);
  return [paint('faint', head), ...lines];
}

/** The cells of `ARM_HEADS`, for pages as well. */
export function armCells(result: ArmResult, arms: readonly ArmResult[]): readonly string[] {
  const { arm, before, after, seconds, cpu } = result;
  const share = shareOfRestart(result, arms);
  // Other data than those of the restart.
  const isOther = OF_THE_ARTICLE.includes(arm);
  return [
    ARMS[arm],
    bytesText(before.rss),
    bytesText(after.rss),
    bytesText(returnedBy(result)),
    share === undefined || isOther ? '' : percentText(share * 100),
    bytesText(after.used),
    bytesText(after.layers.externalFragmentation),
    seconds.toFixed(1),
    cpu.toFixed(2),
  ];
}

function paragraph(name: string, text: string): readonly string[] {
  const [first = '', ...rest] = wrapText(text, COLUMNS - NAME_COLUMNS - 3);
  return [`  ${name.padEnd(NAME_COLUMNS)} ${first}`, ...rest.map((line) => `  ${' '.repeat(NAME_COLUMNS)} ${line}`)];
}
