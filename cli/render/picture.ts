import { concerns, limitOf, nearLimitFrom } from '../../core/config/near-limit.ts';
import type { InstanceConfig } from '../../core/config/schema.ts';
import { kernelBytes } from '../../core/domain/account.ts';
import type { Diagnosis, Layers } from '../../core/domain/diagnosis.ts';
import { latestIn, type Outcome, type Seen, verdictIn } from '../../core/domain/outcome.ts';
import { bytesText, percentText, ratioText } from '../../core/format/units.ts';
import { levelBar, stackedBar } from './bars.ts';
import { comparingLegend, layersBar, legendLines, sumOf } from './layers.ts';
import { segmentsOf } from './parts.ts';
import type { Style } from './style.ts';

const CELLS = 60;
const LABEL_COLUMNS = 9;
const INDENT = ' '.repeat(LABEL_COLUMNS + 2);

/** Where the memory of a node goes: one bar as it is, or bars of before and after on one scale. */
export function pictureLines(outcome: Outcome, style: Style, instance?: InstanceConfig): readonly string[] {
  const { before } = outcome;
  if (!before) return [];
  const { layers } = before.diagnosis;
  if (!layers) return plainLines(latestIn(outcome) ?? before, style, instance);
  const latest = verdictIn(outcome) && latestIn(outcome);
  const after = latest?.diagnosis.layers;
  return [
    ...(after ? comparison(outcome, layers, after, style) : single(before.diagnosis, layers, style)),
    ...limitLines((after && latest ? latest : before).diagnosis, style, instance),
    ...indented(after ? comparingLegend(layers, after, style) : legendLines(before.diagnosis, style)),
  ];
}

function indented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => INDENT + line);
}

function single({ ratio, account }: Diagnosis, layers: Layers, style: Style): readonly string[] {
  const bar = account ? stackedBar(segmentsOf(account, style), CELLS, style) : layersBar(layers, CELLS, style);
  return [barLine('RSS', bar, `${bytesText(sumOf(layers))}${timesUsed(ratio)}`, style)];
}

/** A defrag began long before the plan that ends it: what RSS was then, only its verdict knows. */
function comparison(outcome: Outcome, before: Layers, after: Layers, style: Style): readonly string[] {
  const isStop = outcome.kind === 'stopped';
  const start = isStop ? (outcome.verdict?.rssBefore ?? 0) : 0;
  const scale = Math.max(start, sumOf(before), sumOf(after));
  const level = stackedBar([{ value: start, glyph: style.unicode ? '─' : '=', tone: 'faint' }], CELLS, style, scale);
  return [
    ...(isStop ? [barLine('at start', level, bytesText(start), style)] : []),
    barLine(isStop ? 'at stop' : 'before', layersBar(before, CELLS, style, scale), bytesText(sumOf(before)), style),
    barLine('after', layersBar(after, CELLS, style, scale), bytesText(sumOf(after)), style),
  ];
}

/** Without layers there are still RSS and used_memory. */
function plainLines({ observation, diagnosis }: Seen, style: Style, instance?: InstanceConfig): readonly string[] {
  const { usedMemory, usedMemoryRss } = observation.memory;
  if (usedMemory === undefined || usedMemoryRss === undefined) return [];
  const scale = Math.max(usedMemory, usedMemoryRss);
  const used = levelBar(usedMemory / scale, CELLS, style, 'data');
  const { account } = diagnosis;
  const rss =
    account && usedMemoryRss === scale
      ? stackedBar(segmentsOf(account, style), CELLS, style)
      : levelBar(usedMemoryRss / scale, CELLS, style, 'overhead');
  return [
    barLine('used', used, bytesText(usedMemory), style),
    barLine('RSS', rss, `${bytesText(usedMemoryRss)}${timesUsed(diagnosis.ratio)}`, style),
    ...limitLines(diagnosis, style, instance),
    ...indented(legendLines(diagnosis, style)),
  ];
}

/** What the kernel counts, of what it may kill the server at. */
function limitLines({ account, ...diagnosis }: Diagnosis, style: Style, instance?: InstanceConfig): readonly string[] {
  const limit = diagnosis.limit ?? limitOf(instance ?? {});
  const counted = kernelBytes(account);
  if (!instance || !limit || !account || counted === undefined) return [];
  if (!concerns(limit, counted)) return [];
  const near = nearLimitFrom({ memoryLimit: limit.bytes, thresholds: instance.thresholds }) ?? limit.bytes;
  const percent = percentText((counted / limit.bytes) * 100);
  const text = `${percent} of ${bytesText(limit.bytes)}`;
  const bar = levelBar(counted / limit.bytes, CELLS, style, counted >= near ? 'bad' : 'good');
  return [barLine(limit.of === 'machine' ? 'of RAM' : 'of limit', bar, text, style)];
}

function timesUsed(ratio: number | undefined): string {
  return ratio === undefined ? '' : `, ${ratioText(ratio)} x used`;
}

function barLine(label: string, bar: string, text: string, { paint }: Style): string {
  return `  ${paint('faint', label.padEnd(LABEL_COLUMNS))}${bar}  ${text}`;
}
