import { MIB } from '../../core/config/units.ts';
import { type Engine, engineText } from '../../core/domain/engine.ts';
import type { Estimate, KeyPattern, KeyReport, Spread } from '../../core/domain/keys.ts';
import { bytesText, countText, durationText, percentText } from '../../core/format/units.ts';
import { wrapText } from '../../core/format/wrap.ts';
import type { NodeSurvey } from '../../core/keys/survey.ts';
import { keyAdvice, samplingCostText, samplingEndText } from '../../core/reporting/wording/key-finding.ts';
import type { Style } from './style.ts';
import { tableLines } from './table.ts';

const WIDTH = 110;

type Sampled = Extract<NodeSurvey['result'], { kind: 'sampled' }>;

/** One node for people: its patterns by their bytes, and what was found. */
export function keysLines({ instance, node, observation, result }: NodeSurvey, style: Style): readonly string[] {
  const { paint } = style;
  const role = observation?.replication.role;
  const head = paint('strong', `${instance}  ${node}${role === undefined || role === 'unknown' ? '' : `  ${role}`}`);
  switch (result.kind) {
    case 'failed':
      return [head, `  ${paint('bad', result.message)}`];
    case 'interrupted':
      return [head, '  interrupted before it was sampled'];
    case 'same-data':
      return [head, `  the same data as ${result.as}, which was sampled`];
    case 'sampled':
      return [head, ...sampledLines(result, observation?.engine, style)];
  }
}

function sampledLines({ report, sample }: Sampled, engine: Engine | undefined, style: Style): readonly string[] {
  const { paint } = style;
  const end = samplingEndText(sample.end);
  const ended = end === undefined ? [] : wrapped(end, 2).map((line) => paint('warning', line));
  if (report.drawn === 0) return ended;
  return [
    ...wrapped(`${summary(report)}; ${samplingCostText(sample.cost)}`, 2),
    ...ended,
    ...remarksOn(report, sample, engine).flatMap((remark) => wrapped(remark, 2).map((line) => paint('faint', line))),
    '',
    ...patternLines(report, style),
    '',
    ...findingLines(report, style),
  ];
}

function summary({ population, drawn, distinct, bytes }: KeyReport): string {
  return `${countText(population)} keys with ${estimateText(bytes)} by MEMORY USAGE, from ${countText(drawn)} draws of ${countText(distinct)} different keys`;
}

/** `512 MiB (498 MiB to 530 MiB)` */
function estimateText({ value, low, high }: Estimate): string {
  return `${bytesText(value)} (${bytesText(low)} to ${bytesText(high)})`;
}

/** Of the bytes that INFO counts as data; a sample with less has missed large keys. */
const MISSED = 0.8;
/** What an empty server has besides keys is data to INFO, too. */
const MISSED_FLOOR = 16 * MIB;

/** Engines whose hashes and sorted sets have other layouts than those that the bounds were measured on (dict.c of Redis up to 7). */
const OTHER_LAYOUTS: Readonly<Record<string, RegExp>> = {
  redis: /^(?:[89]|\d{2,})\./,
  valkey: /^(?:8\.[1-9]|9|\d{2,})/,
};

/** What limits the figures, in words. */
export function remarksOn(
  { bytes, dataset, findings }: KeyReport,
  { space }: Sampled['sample'],
  engine: Engine | undefined,
): readonly string[] {
  const isOther = engine !== undefined && OTHER_LAYOUTS[engine.name]?.test(engine.version) === true;
  return [
    isOther && findings.some(({ kind }) => kind === 'encoding')
      ? `the bounds of the finding "encoding" are those of Redis up to 7; in the layout of ${engineText(engine)} they were not measured`
      : undefined,
    dataset !== undefined && bytes.high < MISSED * dataset && dataset - bytes.high >= MISSED_FLOOR
      ? `INFO counts ${bytesText(dataset)} of data: a few very large keys are probably missing from this sample`
      : undefined,
    space.hasLengths
      ? undefined
      : 'lengths were not asked, since that would count as a use of the keys for eviction (no CLIENT NO-TOUCH before Redis 7.2): findings that need them are missing',
    space.assumed.length > 0
      ? `CONFIG GET is refused: the defaults stand in for ${space.assumed.join(', ')}`
      : undefined,
  ].filter((remark) => remark !== undefined);
}

const HEADS = [
  'pattern',
  'keys',
  'bytes',
  '95 % interval',
  'share',
  'each p10',
  'p50',
  'p90',
  'with TTL',
  'left p10',
  'p50',
  'p90',
  'types',
];
const FIGURES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
const MOST_TYPES = 3;

function patternLines({ patterns, others, bytes }: KeyReport, { paint }: Style): readonly string[] {
  const rest = ['(other keys)', countText(others.keys), ...bytesCells(others.bytes, bytes)];
  const rows = patterns.map((one) => [
    one.pattern,
    countText(one.keys),
    ...bytesCells(one.bytes, bytes),
    ...spreadCells(one.size, bytesText),
    percentText(one.withTtl * 100),
    ...spreadCells(one.ttl, durationText),
    typesText(one),
  ]);
  const [head = '', ...lines] = tableLines([HEADS, ...rows, ...(others.keys > 0 ? [rest] : [])], FIGURES);
  return [paint('faint', head), ...lines];
}

function bytesCells({ value, low, high }: Estimate, all: Estimate): readonly string[] {
  const share = all.value === 0 ? '' : percentText((value / all.value) * 100);
  return [bytesText(value), `${bytesText(low)} - ${bytesText(high)}`, share];
}

function spreadCells(spread: Spread | undefined, text: (value: number) => string): readonly string[] {
  return spread === undefined ? ['', '', ''] : [spread.p10, spread.p50, spread.p90].map(text);
}

function typesText({ types }: KeyPattern): string {
  return types.length > MOST_TYPES ? `${types.slice(0, MOST_TYPES).join(' ')} …` : types.join(' ');
}

function findingLines({ findings }: KeyReport, { paint }: Style): readonly string[] {
  if (findings.length === 0) return [`  ${paint('good', 'nothing to gain that is worth a change')}`];
  return findings.flatMap((finding) => {
    const { text, remedy } = keyAdvice(finding);
    const head = `  ${estimateText(finding.bytes)}  ${finding.pattern}  ${finding.kind}`;
    return [paint('strong', head), ...wrapped(text, 4), ...wrapped(`→ ${remedy}`, 4)];
  });
}

function wrapped(text: string, indent: number): readonly string[] {
  return wrapText(text, WIDTH - indent).map((line) => ' '.repeat(indent) + line);
}
