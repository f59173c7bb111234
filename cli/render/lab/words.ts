import { bytesText, durationText, percentText, ratioText } from '../../../core/format/units.ts';
import { DECAY } from '../../lab/trial/arms.ts';
import { type ArmResult, type Reading, ratioOf, resultOf, returnedBy, shareOfRestart } from '../../lab/trial/result.ts';

/** Below this share of RSS, a change is the noise of two servers. */
const NOTHING = 0.01;

/** What an arm did to the memory, in a few sentences. */
export function armText(result: ArmResult, all: readonly ArmResult[]): string {
  switch (result.arm) {
    case 'nothing':
      return `${leftBySelf(result)} ${bytesText(result.after.layers.externalFragmentation)} of external fragmentation stayed: waiting does not return it.`;
    case 'purge':
      return `${returnedText(result, all)} It returns free pages, and the fragmentation is not free pages.`;
    case 'thread-off':
      return `${leftBySelf(result)} ${bytesText(result.after.layers.freePages)} of free pages are still there.`;
    case 'thread-off-purge':
      return `${returnedText(result, all)} Here a purge does what the background thread does by itself.`;
    case 'defaults':
    case 'offpeak':
      return idleText(result) ?? `${returnedText(result, all)}${predictedText(result)} ${endText(result)}`;
    case 'restart':
      return `A fresh server with the same data has ${bytesText(result.after.rss)}. From SAVE to its last key took ${secondsText(result)}, in which clients have no server.`;
    case 'decay':
      return `${leftBySelf(result)}${versusNothing(result, all)}${confText(result)}`;
    case 'uniform':
      return `${costText(result, all)} ${afterText(result, all)}`;
    case 'by-size':
      return afterText(result, all);
  }
}

function secondsText({ seconds }: ArmResult): string {
  return durationText(seconds * 1000);
}

function leftBySelf(result: ArmResult): string {
  const left = returnedBy(result);
  return left > NOTHING * result.before.rss
    ? `${bytesText(left)} left by themselves within ${secondsText(result)}.`
    : 'Nothing left by itself.';
}

function returnedText(result: ArmResult, all: readonly ArmResult[]): string {
  const returned = returnedBy(result);
  if (Math.abs(returned) <= NOTHING * result.before.rss) return `Returned nothing, in ${secondsText(result)}.`;
  const share = shareOfRestart(result, all);
  const part = share === undefined ? '' : `, ${percentText(share * 100)} of what a restart returns`;
  return `Returned ${bytesText(returned)}${part}, in ${secondsText(result)}.`;
}

function predictedText({ predicted }: ArmResult): string {
  return predicted === undefined ? '' : ` Predicted: ${bytesText(predicted)}.`;
}

/** By far the most frequent question about activedefrag. */
function idleText({ arm, ended, predicted }: ArmResult): string | undefined {
  if (arm === 'offpeak' && predicted === undefined) return `Did nothing: ${ended}.`;
  if (ended !== 'did not begin') return undefined;
  return 'Did not begin: the fragmentation is below active-defrag-ignore-bytes (100 MB) or active-defrag-threshold-lower (10 %).';
}

function endText({ arm, ended }: ArmResult): string {
  return arm === 'offpeak' ? `It ended: ${ended}.` : `It ${ended}.`;
}

function versusNothing({ after }: ArmResult, all: readonly ArmResult[]): string {
  const nothing = resultOf(all, 'nothing');
  const fragmentation = ` ${bytesText(after.layers.externalFragmentation)} of external fragmentation stayed.`;
  return nothing ? ` With jemalloc's own 10 s it took ${secondsText(nothing)}.${fragmentation}` : fragmentation;
}

function confText({ isMallocConfRead }: ArmResult): string {
  if (isMallocConfRead === undefined) return '';
  return isMallocConfRead
    ? ` This build reads MALLOC_CONF="${DECAY}".`
    : ` MALLOC_CONF, as the article writes it, is not read by this build: JE_MALLOC_CONF="${DECAY}" is.`;
}

function costText({ full }: ArmResult, all: readonly ArmResult[]): string {
  const plain = resultOf(all, 'nothing')?.full;
  if (!full || !plain) return '';
  const cost = full.used - plain.used;
  return `With everything written, padding costs ${bytesText(cost)} of used_memory (${bytesText(plain.used)} becomes ${bytesText(full.used)}, ${percentText((cost / plain.used) * 100)} more).`;
}

/** Two ways to store the same values, when most have expired. */
function afterText({ after }: ArmResult, all: readonly ArmResult[]): string {
  const plain = resultOf(all, 'nothing')?.after;
  if (!plain) return `RSS ${bytesText(after.rss)}, ${stateText(after)}.`;
  const saved = plain.rss - after.rss;
  const words =
    Math.abs(saved) <= 0.03 * plain.rss
      ? `RSS is about the same: ${bytesText(after.rss)} and ${bytesText(plain.rss)} without it`
      : `RSS is ${bytesText(Math.abs(saved))} ${saved > 0 ? 'less' : 'more'} than without it: ${bytesText(after.rss)} in place of ${bytesText(plain.rss)}`;
  return `At rest ${words}; ${stateText(after)} (${stateText(plain)} without it).${ratioCaveat(after, plain)}`;
}

/** The ratio falls as soon as the data grow. */
function ratioCaveat(after: Reading, plain: Reading): string {
  const isBetter = ratioOf(after) < ratioOf(plain) * 0.97;
  return isBetter && after.rss > plain.rss
    ? ' The ratio is lower because the data are larger, not because RSS is less.'
    : '';
}

function stateText(reading: Reading): string {
  return `ratio ${ratioText(ratioOf(reading))}, ${bytesText(reading.layers.externalFragmentation)} of external fragmentation`;
}
