import type { ActionHistory } from '../domain/node-history.ts';
import type { Observation } from '../domain/observation.ts';
import type { Learned } from '../domain/prediction.ts';
import type { Verdict } from '../domain/verdict.ts';

export function dated({ at, engine }: Observation): Pick<Learned, 'at' | 'version'> {
  return { at, version: engine.version };
}

/** The newest is bounded before it counts: an outlier is worth no more than the worst that is possible. */
export function blend(known: number, newest: number, [low, high]: readonly [number, number]): number {
  return known + (Math.min(high, Math.max(low, newest)) - known) * NEWEST;
}

export function counted(
  history: ActionHistory | undefined,
  verdict: Pick<Verdict, 'kind'>,
): Pick<ActionHistory, 'ineffective'> {
  return { ineffective: verdict.kind === 'improved' ? 0 : (history?.ineffective ?? 0) + 1 };
}

/** How much of the newest measurement goes into what is remembered: old nights fade, one odd night does not rule. */
const NEWEST = 0.5;
