import type { Bytes } from '../../../core/config/units.ts';
import { stepsOf, verdictIn } from '../../../core/domain/outcome.ts';
import type { Verdict } from '../../../core/domain/verdict.ts';
import { bytesText, durationText, percentText } from '../../../core/format/units.ts';
import type { Tick } from '../../../core/reconcile/scope.ts';
import { levelBar } from '../../render/bars.ts';
import type { Style } from '../../render/style.ts';

export interface Measurements {
  readonly seen: readonly Tick[];
  readonly rssBefore: Bytes;
  readonly rssAfter: Bytes;
  readonly rssAfterRestart: Bytes;
  readonly isRestored: boolean;
}

const CELLS = 50;

/** Before and after, and each promise beside the measurement. */
export function summaryLines(measured: Measurements, style: Style): readonly string[] {
  const { seen, rssBefore, rssAfter, rssAfterRestart, isRestored } = measured;
  const verdict = verdictsOf(seen).find(({ action }) => action === 'defrag') ?? verdictsOf(seen).at(-1);
  const purge = verdictsOf(seen).find(({ action }) => action === 'purge');
  const isReleased = seen.at(-1)?.leased.length === 0;
  const { paint } = style;
  return [
    paint('strong', 'Before and after'),
    bar('RSS before', rssBefore, rssBefore, style),
    bar('RSS after', rssAfter, rssBefore, style),
    bar('after a restart', rssAfterRestart, rssBefore, style),
    '',
    ...(verdict ? [returned(verdict), stalled(verdict)] : ['  no action was taken']),
    ...(purge && verdict !== purge ? [blocked(purge)] : []),
    `  ${'of a restart'.padEnd(16)} ${percentText(((rssBefore - rssAfter) / Math.max(1, rssBefore - rssAfterRestart)) * 100)} of what a restart with the same data would return`,
    `  ${'settings'.padEnd(16)} ${isRestored ? paint('good', 'restored: CONFIG GET * is as before') : paint('bad', 'NOT restored')}`,
    `  ${'lease'.padEnd(16)} ${isReleased ? paint('good', 'gone') : paint('bad', 'still held')}`,
  ];
}

function verdictsOf(seen: readonly Tick[]): readonly Verdict[] {
  return seen.flatMap(({ outcomes }) => outcomes.flatMap(stepsOf).flatMap((step) => verdictIn(step) ?? []));
}

function bar(label: string, bytes: Bytes, full: Bytes, style: Style): string {
  return `  ${label.padEnd(16)} ${levelBar(bytes / full, CELLS, style, 'data')} ${bytesText(bytes)}`;
}

function returned({ reclaimed, predicted, share }: Verdict): string {
  const part = share === undefined ? '' : ` (${percentText(share * 100)})`;
  return `  ${'returned'.padEnd(16)} ${bytesText(reclaimed)} of ${bytesText(predicted)} predicted${part}`;
}

function stalled({ stall, promisedStall, beyond = 0 }: Verdict): string {
  const longest = stall === 0 ? 'below 1 ms' : durationText(stall);
  const share = ((1 - beyond) * 100).toLocaleString('en', { maximumFractionDigits: 2 });
  return `  ${'longest cycle'.padEnd(16)} ${longest}; at most ${durationText(promisedStall)} for ${share} % of the time (promised: 99.9 %)`;
}

function blocked({ stall, promisedStall }: Verdict): string {
  return `  ${'purge blocked'.padEnd(16)} ${durationText(stall)} (promised: at most ${durationText(promisedStall)})`;
}
