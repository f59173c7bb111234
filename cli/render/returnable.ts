import { obstacleIn } from '../../core/diagnosis/prospect.ts';
import type { Diagnosis } from '../../core/domain/diagnosis.ts';
import { latestIn, type Outcome } from '../../core/domain/outcome.ts';
import { obstacleNote } from '../../core/reporting/wording/obstacle.ts';

/** What a fleet's sums are made of, in bytes. */
export interface Figures {
  readonly rss: number | undefined;
  readonly used: number | undefined;
  /** By the one action that a plan prefers: what both return is in part the same. 0 where none applies. */
  readonly returnable: number;
  /** That action, or why there is none. */
  readonly by: string;
}

/** Undefined for a node that did not answer or prints neither, and for a second address of a server: they are in no sum. */
export function figuresOf(outcome: Outcome): Figures | undefined {
  const seen = latestIn(outcome);
  const { usedMemory: used, usedMemoryRss: rss } = seen?.observation.memory ?? {};
  const isDouble = outcome.notices.some(({ kind }) => kind === 'same-server');
  if (!seen || (used === undefined && rss === undefined) || isDouble) return undefined;
  const { returnable, by } = returnableIn(seen.diagnosis);
  const missing = rss === undefined ? 'used_memory_rss' : used === undefined ? 'used_memory' : undefined;
  const why = missing === undefined ? by : `INFO does not print ${missing}`;
  return { rss, used, returnable, by: outcome.leased ? 'Offpeak is defragmenting it' : why };
}

function returnableIn({ prospects: { defrag, purge }, reclaimable }: Diagnosis): Pick<Figures, 'returnable' | 'by'> {
  if (defrag.kind === 'worthwhile') return { returnable: reclaimable.defrag, by: 'active defrag' };
  if (purge.kind === 'worthwhile') return { returnable: reclaimable.purge.reclaim, by: 'MEMORY PURGE' };
  const obstacle = obstacleIn(defrag) ?? obstacleIn(purge);
  return { returnable: 0, by: obstacle ? obstacleNote(obstacle) : 'little to return' };
}

export function totalsOf(outcomes: readonly Outcome[]) {
  const counted = outcomes.flatMap((outcome) => figuresOf(outcome) ?? []);
  const sum = (figure: 'rss' | 'used' | 'returnable') => counted.reduce((total, one) => total + (one[figure] ?? 0), 0);
  return { servers: counted.length, rss: sum('rss'), used: sum('used'), returnable: sum('returnable') };
}
