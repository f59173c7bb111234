import type { AlertFact, AlertFigures } from '../../core/domain/alert.ts';

const BAR_COLUMNS = 20;
const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** The job's own words for a figure, which the picture already shows. */
const SHOWN: Readonly<Record<string, keyof AlertFigures>> = {
  RSS: 'rssBefore',
  'RSS before': 'rssBefore',
  'RSS after': 'rssAfter',
  Returned: 'returnedBytes',
  Predicted: 'predictedBytes',
  Cost: 'stallMs',
  Promised: 'promisedStallMs',
};

/** Nobody's memory is beyond these, and differences and shares of such numbers are infinite: the facts have to do. */
export function isDrawable(figures: AlertFigures = {}): boolean {
  return Object.values(figures).every((figure) => Math.abs(figure) <= Number.MAX_SAFE_INTEGER);
}

/** The facts that the picture leaves to be told. */
export function factsBeside(figures: AlertFigures | undefined, facts: readonly AlertFact[]): readonly AlertFact[] {
  return facts.filter(({ label }) => {
    const key = Object.hasOwn(SHOWN, label) ? SHOWN[label] : undefined;
    return key === undefined || figures?.[key] === undefined;
  });
}

/**
 * The figures as mrkdwn of our own making: RSS before and after as bars of equal scale, bytes returned of those predicted,
 * and the stall against what was promised. Undefined where there is nothing to draw.
 */
export function memoryPicture(figures: AlertFigures): string | undefined {
  const lines = [bars(rowsOf(figures)), [bytesLine(figures), stallLine(figures)].filter(Boolean).join(' · ')];
  return lines.filter((line) => line !== '').join('\n') || undefined;
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
  const drawn = rows.map(([label, bytes]) => `${label.padEnd(column)}  ${bar(bytes / most)}  ${bytesText(bytes)}`);
  return `\`\`\`\n${drawn.join('\n')}\n\`\`\``;
}

function bar(share: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * BAR_COLUMNS);
  return '█'.repeat(full) + '░'.repeat(BAR_COLUMNS - full);
}

function bytesLine({ returnedBytes, predictedBytes }: AlertFigures): string {
  if (returnedBytes === undefined) {
    return predictedBytes === undefined ? '' : `*${bytesText(predictedBytes)}* predicted back`;
  }
  if (returnedBytes < 0) return `RSS grew by *${bytesText(-returnedBytes)}*${predictedText(predictedBytes)}`;
  if (predictedBytes === undefined) return `*${bytesText(returnedBytes)}* returned`;
  const share = predictedBytes >= 1 ? ` (${percentText(returnedBytes / predictedBytes)})` : '';
  return `*${bytesText(returnedBytes)}* returned of ${bytesText(predictedBytes)} predicted${share}`;
}

function predictedText(predictedBytes: number | undefined): string {
  return predictedBytes === undefined ? '' : `, ${bytesText(predictedBytes)} was predicted back`;
}

function stallLine({ stallMs, promisedStallMs }: AlertFigures): string {
  const promised = promisedStallMs === undefined ? undefined : millisecondsText(promisedStallMs);
  if (stallMs === undefined)
    return promised === undefined ? '' : `at most *${promised}* for a cycle promised, in 99.9 % of the time`;
  // LATENCY LATEST counts whole milliseconds from 1 on: nothing recorded is not the same as nothing.
  const seen = stallMs === 0 ? 'no stall recorded' : `clients waited *${millisecondsText(stallMs)}*`;
  if (promised === undefined || promisedStallMs === undefined) return seen;
  return stallMs > promisedStallMs ? `${seen}, longer than the ${promised} promised` : `${seen}, ${promised} promised`;
}

function bytesText(bytes: number): string {
  // What would round to 1024 belongs to the next unit.
  const unit = BYTE_UNITS.findIndex((_, power) => Math.abs(bytes) < 1023.5 * 1024 ** power);
  const power = unit === -1 ? BYTE_UNITS.length - 1 : unit;
  const value = bytes / 1024 ** power;
  const size = Math.abs(value);
  // Three digits: 1.28 GiB, 40.2 MiB, 402 MiB.
  const maximumFractionDigits = size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
  return `${value.toLocaleString('en', { maximumFractionDigits })} ${BYTE_UNITS[power]}`;
}

function percentText(share: number): string {
  return `${(share * 100).toLocaleString('en', { maximumFractionDigits: share < 0.0995 ? 1 : 0 })} %`;
}

function millisecondsText(duration: number): string {
  return duration < 999.5
    ? `${duration.toLocaleString('en', { maximumFractionDigits: duration < 9.95 ? 1 : 0 })} ms`
    : `${(duration / 1000).toLocaleString('en', { maximumFractionDigits: 1 })} s`;
}
