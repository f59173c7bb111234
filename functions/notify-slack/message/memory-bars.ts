import type { AlertFact, AlertFigures } from '../../../core/domain/alert.ts';
import { bytesText, percentText } from '../../../core/format/units.ts';

const BAR_COLUMNS = 20;

/** What the picture says. How long clients waited is a fact with words of its own: a number alone says too little of it. */
const DRAWN: readonly (keyof AlertFigures)[] = ['rssBefore', 'rssAfter', 'returnedBytes', 'predictedBytes'];

/** Beyond these no server has memory, and differences and shares of such numbers are infinite: the facts have to do. */
export function isDrawable(figures: AlertFigures = {}): boolean {
  return Object.values(figures).every((figure) => Math.abs(figure) <= Number.MAX_SAFE_INTEGER);
}

/** The facts without those that the picture shows. */
export function factsBeside(figures: AlertFigures | undefined, facts: readonly AlertFact[]): readonly AlertFact[] {
  return facts.filter(
    ({ figure }) => figure === undefined || !DRAWN.includes(figure) || figures?.[figure] === undefined,
  );
}

/**
 * The figures as mrkdwn: RSS before and after as bars of equal scale, and the bytes returned of those predicted. Undefined where there
 * is nothing to draw.
 */
export function memoryBars(figures: AlertFigures): string | undefined {
  return [bars(rowsOf(figures)), bytesLine(figures)].filter((line) => line !== '').join('\n') || undefined;
}

type Row = readonly [label: string, bytes: number];

function rowsOf({ rssBefore, rssAfter, predictedBytes }: AlertFigures): readonly Row[] {
  if (rssBefore === undefined) return [];
  if (rssAfter !== undefined) {
    return [
      ['before', rssBefore],
      ['after', rssAfter],
    ];
  }
  if (predictedBytes === undefined) return [['now', rssBefore]];
  return [
    ['now', rssBefore],
    ['expected', rssBefore - predictedBytes],
  ];
}

function bars(rows: readonly Row[]): string {
  if (rows.length === 0) return '';
  const most = Math.max(1, ...rows.map(([, bytes]) => bytes));
  const column = Math.max(...rows.map(([label]) => label.length));
  const drawn = rows.map(([label, bytes]) => `RSS ${label.padEnd(column)}  ${bar(bytes / most)}  ${bytesText(bytes)}`);
  return `\`\`\`\n${drawn.join('\n')}\n\`\`\``;
}

function bar(share: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * BAR_COLUMNS);
  return '█'.repeat(full) + '░'.repeat(BAR_COLUMNS - full);
}

function bytesLine({ returnedBytes, predictedBytes }: AlertFigures): string {
  const predicted = predictedBytes === undefined ? undefined : bytesText(predictedBytes);
  if (returnedBytes === undefined) return predicted === undefined ? '' : `Predicted to return: *${predicted}*`;
  if (returnedBytes < 0) {
    const instead = predicted === undefined ? '' : `; predicted to return: ${predicted}`;
    return `RSS grew by *${bytesText(-returnedBytes)}*${instead}`;
  }
  return `Returned: *${bytesText(returnedBytes)}*${ofPredicted(returnedBytes, predictedBytes)}`;
}

function ofPredicted(returnedBytes: number, predictedBytes: number | undefined): string {
  if (predictedBytes === undefined) return '';
  const share = predictedBytes >= 1 ? ` (${percentText((returnedBytes / predictedBytes) * 100)})` : '';
  return ` of ${bytesText(predictedBytes)} predicted${share}`;
}
