import { bytesText, durationText } from '../../format/units.ts';
import type { StepWords } from '../words.ts';

export const purgeWords: StepWords<'purge'> = {
  name: 'purge',
  why({ reason, predicted }, _step, _moment, diagnosis) {
    const layers = diagnosis?.layers;
    const kept = layers ? `${bytesText(layers.retained)} of free pages are` : 'free pages are';
    const why = reason === 'after-defrag' ? 'still kept after the defrag' : 'kept by the allocator';
    return `${kept} ${why}; predicted ${bytesText(predicted.reclaim)} back, clients blocked for about ${durationText(predicted.stall)}`;
  },
  wouldHave: (bytes) => `would have purged ${bytes}`,
  doing: 'MEMORY PURGE',
  failed: {
    title: 'MEMORY PURGE failed',
    severity: 'warning',
    next: () =>
      'It is not repeated before its cooldown is over. If it keeps failing, check that the ACL user has +memory|purge, or set purge.enabled to false.',
  },
};
