import { loadCounters } from '../diagnosis/load.ts';
import type { Blocker, StageBlocker } from '../domain/blocker.ts';
import type { Acting, Facts, Plan } from '../domain/plan.ts';
import type { Terms } from '../domain/terms.ts';
import { ROUND_TRIPS } from '../domain/timings.ts';
import { managedBlockers, unsettledBlockers } from './managed.ts';
import { copiesMissing } from './replication.ts';
import { serverBlockers, startBlockers } from './server-blockers.ts';
import { stageBlockers } from './stage-limits.ts';

/** A proposal, if no pause forbids it, and the window and the guards allow it on the action's own terms. */
export function admit(facts: Facts, proposal: Acting, terms: Terms): Plan {
  const { window, pause, observation, earlier, policy } = facts;
  const instead = { action: proposal.action.kind, predicted: proposal.predicted };
  // Before the window: a person who has paused an instance by day wants to see the pause.
  if (pause) {
    const { until, reason, by } = pause;
    return { kind: 'skip', reason: 'paused', instead, pause: { reason, by }, until };
  }
  if (!window.open) {
    const until = window.nextOpening;
    const reason = window.holiday ? 'holiday' : 'outside-window';
    return { kind: 'skip', reason, instead, ...(until !== undefined && { until }) };
  }
  const blockers = [
    ...managedBlockers(policy.found, observation.node, facts.now),
    ...unsettledBlockers(policy.found, observation),
    ...serverBlockers(observation, policy, earlier && loadCounters(earlier)),
    ...startBlockers(observation),
    ...copiesMissing(observation, facts.peers ?? [], policy.nodes.length - 1),
    ...jobBlockers(facts, terms),
  ];
  const [first] = blockers;
  return first ? { kind: 'skip', reason: first.kind, instead, blockers } : proposal;
}

/** Reasons that lie in the job, not in the server. */
function jobBlockers(facts: Facts, terms: Terms): readonly Blocker[] {
  const { peer, now } = facts;
  const { coolingUntil: until, blockers } = terms;
  const found: (Blocker | undefined)[] = [
    peer === undefined ? undefined : { kind: 'peer-acting', peer },
    until !== undefined && until > now ? { kind: 'cooling-down', until } : undefined,
    ...blockers,
    ...blockersOfStage(facts, terms),
    notEnoughTime(facts, terms),
  ];
  return found.filter((blocker) => blocker !== undefined);
}

function notEnoughTime({ window, now, remaining: left, earlier }: Facts, terms: Terms): Blocker | undefined {
  const { time, secondCheck, openFor = 0 } = terms;
  const open = window.open ? window.closesAt - now : 0;
  const remaining = Math.min(left, open);
  const required = open < openFor ? openFor : ROUND_TRIPS + time + (earlier ? 0 : secondCheck);
  return remaining < required ? { kind: 'not-enough-time', remaining, required } : undefined;
}

function blockersOfStage({ stage, group, observation, now }: Facts, { isLasting }: Terms): readonly StageBlocker[] {
  if (!stage) return [];
  const { node, address, engine } = observation;
  const own = { node, engine, ...(address !== undefined && { address }), ...(group && { group }) };
  return stageBlockers(stage, own, isLasting, now);
}
