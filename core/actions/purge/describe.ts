import { bytesText, durationText } from '../../format/units.ts';
import type { StepWords } from '../action.ts';

export const purgeWords: StepWords<'purge'> = {
  name: 'purge',
  why({ reason, predicted }, _step, _moment, diagnosis) {
    const layers = diagnosis?.layers;
    const pages = layers ? `${bytesText(layers.freePages)} of free pages` : 'free pages';
    const held = reason === 'after-defrag' ? `still holds ${pages} after the defrag` : `holds ${pages}`;
    return `the allocator ${held}; predicted ${bytesText(predicted.reclaim)} back, clients blocked for about ${durationText(predicted.stall)}`;
  },
  wouldHave: (bytes) => `would have purged ${bytes}`,
  doing: 'MEMORY PURGE',
  failed: {
    title: 'MEMORY PURGE failed',
    severity: 'warning',
    next: () =>
      'Offpeak tries again after the cooldown. If it keeps failing, check that the ACL user has +memory|purge, or set purge.enabled to false.',
  },
};
