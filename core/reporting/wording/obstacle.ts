import type { Milliseconds } from '../../config/units.ts';
import type { Obstacle } from '../../domain/diagnosis.ts';
import type { Denial } from '../../domain/engine.ts';
import type { Prediction } from '../../domain/prediction.ts';
import { bytesText, durationText, unworded } from '../../format/units.ts';

// Why an action does not apply: the same words in a finding, beside a bar and in a plan.

export const UNSUPPORTED = 'this build refuses active defrag';
export const CONFIG_REFUSED =
  'the server refuses CONFIG (a managed service, or an ACL without +config|get +config|set)';
export const BY_GROUP =
  'its parameter group switches active defrag, on all nodes of the group at once (defrag.through)';
export const ODD_SETTINGS = 'a value that CONFIG GET prints could not be restored, because its setting cannot hold it';
export const PURGE_REFUSED = 'the server refuses MEMORY PURGE (a managed service, or an ACL without +memory|purge)';
export const WOULD_BLOCK = 'a purge would block clients for longer than purge.maxBlock allows';

export function obstacleText(obstacle: Obstacle): string {
  switch (obstacle.kind) {
    case 'unknown-engine':
      return `it does not know this engine${obstacle.calledItself === undefined ? '' : ` (${obstacle.calledItself})`}`;
    case 'already-on':
      return 'active defrag is on already';
    case 'disabled':
      return `${obstacle.setting} is false in the config`;
    case 'denied-version':
      return deniedText(obstacle.denial);
    case 'config-refused':
      return CONFIG_REFUSED;
    case 'by-group':
      return BY_GROUP;
    case 'odd-settings':
      return `${ODD_SETTINGS} (${obstacle.names.join(', ')})`;
    case 'unsupported':
      return UNSUPPORTED;
    case 'not-defraggable':
      return `the server's own defragger sees only ${bytesText(obstacle.seen)} of the ${bytesText(obstacle.of)}`;
    case 'purge-refused':
      return PURGE_REFUSED;
    case 'would-block':
      return `${WOULD_BLOCK} (${durationText(obstacle.stall)})`;
    case 'would-stall':
      return stallText(obstacle);
  }
  return unworded(obstacle);
}

/** Names the issue, what happens, and what lifts it: without them the refusal cannot be judged. */
export function deniedText({ why, issue, fixedIn }: Denial): string {
  return `active defrag is unsafe on this version: ${why} (${issue}); lifted by ${fixedIn}`;
}

/** Clients would wait for too long, and what would allow it. */
export function stallText({ stall = 0, firstCycle = 0 }: Partial<Prediction> = {}): string {
  return firstCycle > stall
    ? `active defrag would keep clients waiting once for up to ${durationText(firstCycle)} as it begins, longer than purge.maxBlock and than ten times defrag.maxStall${allowedAtOnce(firstCycle)}`
    : `a cycle of active defrag would keep clients waiting for about ${durationText(stall)}, longer than defrag.maxStall${allowedBy(stall)}`;
}

/** Of `defrag.maxStall` and of `purge.maxBlock`, in ms. */
const LONGEST_STALL = 100;
export const LONGEST_BLOCK = 10_000;

function allowedAtOnce(firstCycle: Milliseconds): string {
  if (firstCycle / 10 <= LONGEST_STALL) return allowedBy(firstCycle / 10);
  return firstCycle > LONGEST_BLOCK ? '' : `; purge.maxBlock of ${Math.ceil(firstCycle)} ms would allow it`;
}

function allowedBy(stall: Milliseconds): string {
  return stall > LONGEST_STALL ? '' : `; defrag.maxStall of ${Math.ceil(stall)} ms would allow it`;
}

/** In some fifty columns, for the legend beside a bar. */
export function obstacleNote(obstacle: Obstacle): string {
  switch (obstacle.kind) {
    case 'unknown-engine':
      return 'no action: Offpeak does not know this engine';
    case 'already-on':
      return 'active defrag is on already';
    case 'disabled':
      return obstacle.setting === 'defrag.enabled'
        ? 'active defrag is off in the config (defrag.enabled)'
        : 'MEMORY PURGE is off in the config (purge.enabled)';
    case 'denied-version':
      return 'no action: active defrag is unsafe on this version';
    case 'config-refused':
      return 'no action: the server refuses CONFIG';
    case 'by-group':
      return 'its parameter group switches active defrag';
    case 'odd-settings':
      return 'no action: CONFIG GET prints impossible values';
    case 'unsupported':
      return 'no action: this build refuses active defrag';
    case 'not-defraggable':
      return "no action: the server's own defragger sees too little";
    case 'purge-refused':
      return 'only time returns them: the server refuses MEMORY PURGE';
    case 'would-block':
      return `only time returns them: a purge would block for ${durationText(obstacle.stall)}`;
    case 'would-stall':
      return `no action: clients would wait for up to ${durationText(Math.max(obstacle.stall, obstacle.firstCycle))}`;
  }
  return unworded(obstacle);
}
