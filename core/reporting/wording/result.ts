import { briefReason, traitsOf } from '../../actions/defrag/stop-reasons.ts';
import { wordsOf } from '../../actions/registry.ts';
import { MIB } from '../../config/units.ts';
import type { ActionResult } from '../../domain/node-history.ts';
import type { Notice } from '../../domain/notice.ts';
import type { Settings } from '../../domain/observation.ts';
import type { StopReason } from '../../domain/plan.ts';
import type { Verdict } from '../../domain/verdict.ts';
import { bytesText, durationText, percentText, unworded } from '../../format/units.ts';

/** What an action returned and what it cost, against what was predicted and promised. */
export function verdictText(verdict: Verdict): string {
  const { rssBefore, rssAfter } = verdict;
  return `${reclaimText(verdict)}; RSS went from ${bytesText(rssBefore)} to ${bytesText(rssAfter)}${growthText(verdict)}${leavingText(verdict)}; ${stallText(verdict)}`;
}

/** From here on it is said: it explains why RSS and what was returned do not add up. */
const GROWTH_WORTH_SAYING = 8 * MIB;

function growthText({ dataGrowth }: Verdict): string {
  if (Math.abs(dataGrowth) < GROWTH_WORTH_SAYING) return '';
  return `, while the data ${dataGrowth > 0 ? 'grew' : 'shrank'} by ${bytesText(Math.abs(dataGrowth))}`;
}

/** Measured before the server came to rest. */
function leavingText({ leaving = 0 }: Verdict): string {
  return leaving === 0 ? '' : `, and the allocator still holds ${bytesText(leaving)} of free pages`;
}

function reclaimText({ kind, reclaimed, predicted, share }: Verdict): string {
  const ofPredicted = `${bytesText(predicted)} predicted`;
  switch (kind) {
    case 'improved':
      return `returned ${bytesText(reclaimed)} of ${ofPredicted}${share === undefined ? '' : ` (${percentText(share * 100)})`}`;
    case 'unchanged':
      return `returned too little: ${bytesText(reclaimed)} of ${ofPredicted}`;
    case 'worse':
      return `RSS grew by ${bytesText(-reclaimed)} instead of returning the ${ofPredicted}`;
  }
  return unworded(kind);
}

/** How long clients waited, and whether that is within the promise. */
export function stallText({ action, stall, promisedStall, unmeasured, beyond }: Verdict): string {
  if (unmeasured) return `stalls not measured (LATENCY LATEST is refused), ${durationText(promisedStall)} promised`;
  // LATENCY LATEST counts whole milliseconds from 1 on: no record does not mean no stall.
  const seen = action === 'defrag' && stall === 0 ? 'no stall recorded' : `${stallName(action)} ${durationText(stall)}`;
  if (stall > promisedStall && beyond !== undefined) {
    return `${seen}; longer than the ${durationText(promisedStall)} promised for ${shareText(beyond)} of the time (promised: at most 0.1 %)`;
  }
  return stall > promisedStall
    ? `${seen}, longer than the ${durationText(promisedStall)} promised`
    : `${seen}, ${durationText(promisedStall)} promised`;
}

/** Three digits after the point: a thousandth is what is promised. */
function shareText(share: number): string {
  return share < 0.00001
    ? 'less than 0.001 %'
    : `${(share * 100).toLocaleString('en', { maximumSignificantDigits: 2 })} %`;
}

function stallName(action: Verdict['action']): string {
  return action === 'purge' ? 'clients blocked for' : 'longest stall';
}

const DONE: Readonly<Record<ActionResult['kind'], string>> = {
  improved: 'done',
  unchanged: 'returned too little',
  worse: 'RSS grew',
};

/** Whether it did what could be done. A run that was cut short has the name, too, under which the runbook has it. */
export function endText({ because, kind }: Pick<ActionResult, 'because' | 'kind'>): string {
  if (because === undefined) return DONE[kind];
  // Of whatever version: an unknown one is named as it is.
  const reason = because as StopReason;
  const [ends, brief] = [traitsOf(reason).kind, briefReason(reason)];
  if (ends === 'end') return `${DONE[kind]}: ${brief}`;
  return `${ends === 'wanted' ? 'stopped' : 'ended early'}: ${brief} (${because})`;
}

/** What a notice says, beside the plan and the verdict. */
export function noticeText(notice: Notice): string {
  switch (notice.kind) {
    case 'foreign-defrag':
      if (notice.areLeasesUnknown)
        return `active defrag is on, and this command does not know who switched it on: ${ASK_STATUS}`;
      return 'active defrag is on; Offpeak did not start it, and leaves it on';
    case 'defrag-unsupported':
      return 'this build of the server refuses active defrag; MEMORY PURGE still works';
    case 'settings-changed':
      return `a person or another program changed settings during Offpeak's defrag, and they stay as they are: ${settingsText(notice.leftAlone)}`;
    case 'config-rewritten':
      return notice.isSeen
        ? "a CONFIG REWRITE during Offpeak's active defrag has put Offpeak's settings into the server's config file; in memory they are restored"
        : "the node's role has changed during Offpeak's active defrag: a failover by Sentinel does a CONFIG REWRITE, and that puts Offpeak's settings into the server's config file; in memory they are restored";
    case 'left-on':
      return leftOnText(notice);
    case 'same-server':
      return `this address and ${notice.as} lead to one server (same run_id): Offpeak acts on ${notice.as} only`;
    case 'action-failed':
      return `${wordsOf(notice.doing).doing} failed: ${notice.why}`;
    case 'state-unavailable':
      return `the state store is unavailable: ${notice.why}`;
  }
  return unworded(notice);
}

/** `hz 10, activedefrag no`. */
export function settingsText(settings: Settings): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

/** Without a config, and so without a state. */
const ASK_STATUS = 'npx offpeak status -c <config> lists the defrags of Offpeak';

function leftOnText({ standing, restored, areLeasesUnknown }: Extract<Notice, { kind: 'left-on' }>): string {
  if (areLeasesUnknown)
    return `these settings look like Offpeak's: ${settingsText(standing)}. This command does not know whether they belong to a defrag that is on: ${ASK_STATUS}`;
  if (restored === undefined)
    return `these settings look like Offpeak's, but Offpeak cannot tell whether it set them: ${settingsText(standing)}`;
  return `an earlier defrag by Offpeak had left these settings on: ${settingsText(standing)}. Offpeak has restored the earlier values`;
}
