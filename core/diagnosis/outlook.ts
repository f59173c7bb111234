import type { Bytes } from '../config/units.ts';
import type { Diagnosis, DiagnosisPolicy, Finding, Layers, Prospect } from '../domain/diagnosis.ts';
import type { Learned, Prediction } from '../domain/prediction.ts';
import { closableFragmentation, defraggableFragmentation, predictDefragReclaim } from './predict.ts';
import { obstacleIn, worthOf } from './prospect.ts';

// Findings about the layers that an action returns, by the bytes that it can return, as in plans. On a heap of 800 GB, a finished defrag
// leaves 200 MB of external fragmentation, and a purge leaves 100 MB of free pages.

interface ActionOutlook {
  readonly purge: Prediction;
  readonly prospects: Diagnosis['prospects'];
}

/**
 * Free pages count only where the external fragmentation alone is worth a run and a purge can follow: otherwise they are not the gain of
 * the defrag.
 */
export function defragReclaim(
  layers: Layers & { readonly peak: Bytes },
  policy: DiagnosisPolicy,
  learned: Learned,
  purge: Prospect,
): Bytes {
  const isWorth = defraggableFragmentation(layers) >= worthOf(policy.defrag);
  const isPurged = obstacleIn(purge) === undefined;
  return predictDefragReclaim(isWorth && isPurged ? layers : { ...layers, freePages: 0 }, learned);
}

/** Also where the server's own defragger does not see the fragmentation: then that is the obstacle. */
export function fragmented(
  layers: Layers | undefined,
  policy: DiagnosisPolicy,
  { prospects }: ActionOutlook,
): Finding | undefined {
  if (!layers || closableFragmentation(layers) < worthOf(policy.defrag)) return undefined;
  const { externalFragmentation: bytes, allocated } = layers;
  const percentOfData = (bytes / Math.max(1, allocated)) * 100;
  const closable = Math.round(defraggableFragmentation(layers));
  const obstacle = obstacleIn(prospects.defrag);
  const isUnproven = prospects.defrag.kind === 'worthwhile' && prospects.defrag.unproven;
  const more = { ...(obstacle && { obstacle }), ...(isUnproven && { unproven: true as const }) };
  return { kind: 'fragmented', bytes, percentOfData, closable, ...more };
}

export function freePages(layers: Layers | undefined, { purge, prospects }: ActionOutlook): Finding | undefined {
  if (!layers || prospects.purge.kind === 'little') return undefined;
  const obstacle = obstacleIn(prospects.purge);
  const { freePages: bytes, muzzyPages: muzzy } = layers;
  const more = { ...(muzzy !== undefined && { muzzy }), ...(obstacle && { obstacle }) };
  return { kind: 'free-pages', bytes, returnable: purge.reclaim, ...more };
}
