import { wordsOf } from '../../actions/registry.ts';
import type { Diagnosis, Prospect } from '../../domain/diagnosis.ts';
import type { Plan, SkipReason } from '../../domain/plan.ts';
import { blockerKindText, blockerText } from '../../format/blocker.ts';
import { pauseText } from '../../format/pause.ts';
import { bytesText, countText, durationText, type Moment, percentText, timeText } from '../../format/units.ts';
import {
  BY_GROUP,
  CONFIG_REFUSED,
  deniedText,
  ODD_SETTINGS,
  obstacleText,
  PURGE_REFUSED,
  stallText,
  UNSUPPORTED,
  WOULD_BLOCK,
} from './obstacle.ts';

type Skipping = Extract<Plan, { kind: 'skip' }>;

/** Why nothing is done, and what would have been done where only the circumstances forbid it. */
export function skippingText(plan: Skipping, moment: Moment, diagnosis?: Diagnosis): string {
  const blockers = plan.blockers ?? [];
  const why =
    blockers.length > 0
      ? blockers.map((blocker) => blockerText(blocker, moment)).join('; ')
      : skipReasonText(plan, plan.reason, moment, diagnosis);
  const instead = insteadText(plan);
  return instead === '' ? why : `${why}; ${instead}`;
}

function skipReasonText(plan: Skipping, reason: SkipReason, moment: Moment, diagnosis?: Diagnosis): string {
  switch (reason) {
    case 'healthy':
      return `no action would return enough${reclaimableText(diagnosis)}`;
    case 'disabled':
      return disabledText(diagnosis);
    case 'defragmenting':
      return `active defrag is running${underWayText(plan)}; it ends ${plan.until === undefined ? 'with its lease' : `${timeText(plan.until, moment)} at the latest`}`;
    case 'foreign-defrag':
      return 'active defrag is on; Offpeak did not start it, and leaves it on';
    case 'left-on':
      return 'settings of an earlier Offpeak defrag seem to be on, and no defrag starts before they are restored';
    case 'unsupported':
      return UNSUPPORTED;
    case 'not-defraggable':
      return `there is external fragmentation, but the server's own defragger sees ${seenText(diagnosis)}`;
    case 'denied-version':
      return plan.denial ? deniedText(plan.denial) : 'active defrag is known to harm this version';
    case 'config-refused':
      return CONFIG_REFUSED;
    case 'by-group':
      return BY_GROUP;
    case 'odd-settings':
      return oddText(diagnosis);
    case 'purge-refused':
      return PURGE_REFUSED;
    case 'no-layers':
      return 'the server does not report where its RSS goes, so no action can be chosen';
    case 'would-block':
      return `${WOULD_BLOCK}${plan.instead ? ` (${durationText(plan.instead.predicted.stall)})` : ''}`;
    case 'would-stall':
      return stallText(plan.instead?.predicted);
    case 'paused':
      return plan.pause ? pauseText({ ...plan.pause, until: plan.until }, moment) : 'the instance is paused';
    case 'holiday':
      return `the window stays closed for a holiday${plan.until === undefined ? ', and no other one opens' : `; the next one opens ${timeText(plan.until, moment)}`}`;
    case 'outside-window':
      return plan.until === undefined
        ? 'no maintenance window opens, so Offpeak only observes'
        : `outside the window, which opens ${timeText(plan.until, moment)}`;
    case 'changed':
      return 'the situation changed between two checks, so Offpeak waits for the next tick';
    case 'interrupted':
      return 'the job was interrupted';
    case 'state-unavailable':
      return 'the state store is unavailable, and without it nothing may be changed';
    default:
      return blockerKindText(reason);
  }
}

/** `: 62 % done, 214,000 values moved and 120 MiB of fragmentation removed in 40 s, about 24 s left` */
function underWayText({ underWay }: Skipping): string {
  if (!underWay) return '';
  const { share, moved, closed, elapsed, left, level, isLate } = underWay;
  const done = share === undefined ? '' : ` about ${percentText(Math.floor(share * 100))} done,`;
  const rest = isLate ? ', longer than predicted' : left === undefined ? '' : `, about ${durationText(left)} left`;
  const pace =
    level === 0 ? '' : `, at 1/${2 ** level} of its CPU share, since cycles were longer than defrag.maxStall`;
  return `:${done} ${countText(moved)} values moved and ${bytesText(Math.max(0, closed))} of fragmentation removed in ${durationText(elapsed)}${rest}${pace}`;
}

function insteadText({ reason, instead }: Skipping): string {
  if (!instead) return '';
  const bytes = bytesText(instead.predicted.reclaim);
  if (reason === 'would-block' || reason === 'would-stall') return `it would return ${bytes}`;
  return wordsOf(instead.action).wouldHave(bytes);
}

/** Which of the two: a reader has to know what to change. */
function disabledText(diagnosis?: Diagnosis): string {
  const prospects = diagnosis ? Object.values(diagnosis.prospects) : [];
  const settings = prospects.flatMap((prospect) => (prospect.kind === 'disabled' ? [prospect.setting] : []));
  return `the action that applies is disabled in the config (${settings.join(', ') || 'defrag.enabled or purge.enabled'})`;
}

function reclaimableText(diagnosis?: Diagnosis): string {
  if (!diagnosis?.layers) return '';
  const { reclaimable, prospects } = diagnosis;
  const defrag = `defrag ${bytesText(reclaimable.defrag)}${floorText(prospects.defrag)}`;
  return `: ${defrag}, purge ${bytesText(reclaimable.purge.reclaim)}${floorText(prospects.purge)}`;
}

function floorText(prospect: Prospect): string {
  return prospect.kind === 'little' && prospect.floor !== undefined ? ` (minReclaim ${bytesText(prospect.floor)})` : '';
}

function oddText(diagnosis?: Diagnosis): string {
  const prospect = diagnosis?.prospects.defrag;
  return prospect?.kind === 'odd-settings' ? obstacleText(prospect) : ODD_SETTINGS;
}

function seenText(diagnosis?: Diagnosis): string {
  const { layers } = diagnosis ?? {};
  if (layers?.seenByDefrag === undefined) return 'too little of them';
  return `only ${bytesText(layers.seenByDefrag)} of the ${bytesText(layers.externalFragmentation)}`;
}
