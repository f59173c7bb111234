import type { Bytes } from '../config/units.ts';
import type { Diagnosis, DiagnosisPolicy, Finding, Layers, Prospect } from '../domain/diagnosis.ts';
import type { Learned, Prediction } from '../domain/prediction.ts';
import { closableFragmentation, defraggableFragmentation, predictDefragReclaim } from './predict.ts';
import { obstacleIn, worthOf } from './prospect.ts';

// What a diagnosis says of the layers that have a cure: by what the cure can return, as plans go. On a heap of 800 GB, 200 MB of holes
// are what a finished defrag leaves, and 100 MB of free pages are what a purge leaves.

export interface ActionOutlook {
  readonly purge: Prediction;
  readonly prospects: Diagnosis['prospects'];
}

/**
 * The pages that are retained already count only where the holes alone are worth a run and a purge can follow it: else they are not
 * defrag's gain.
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

/** Also where the server's own defragger does not see the holes: that is an obstacle, and they are there. */
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

export function freePages(
  layers: Layers | undefined,
  policy: DiagnosisPolicy,
  { purge, prospects }: ActionOutlook,
): Finding | undefined {
  if (!layers || purge.reclaim < worthOf(policy.purge)) return undefined;
  const obstacle = obstacleIn(prospects.purge);
  return { kind: 'free-pages', bytes: layers.freePages, returnable: purge.reclaim, ...(obstacle && { obstacle }) };
}
