import type { Milliseconds } from '../config/units.ts';
import type { ActionHistory } from '../domain/node-history.ts';

/** Runs that returned too little double the cooldown, up to this many times (6 h become 16 days). */
const MAX_DOUBLINGS = 6;

/** When an action may run again after its last run (epoch ms); 0: at once. */
export function cooledAt(history: ActionHistory | undefined, cooldown: Milliseconds): number {
  if (history?.lastAt === undefined) return 0;
  return history.lastAt + cooldown * 2 ** Math.min(history.ineffective, MAX_DOUBLINGS);
}
