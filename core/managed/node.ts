import { leaseEnd, predictedRun } from '../actions/defrag/propose.ts';
import { defragSettings } from '../actions/defrag/settings.ts';
import { terms } from '../actions/defrag/terms.ts';
import { isStallTooLong, valueBytesOf } from '../diagnosis/cycle.ts';
import { defragProspect } from '../diagnosis/prospect.ts';
import type { Acting, Facts, Plan } from '../domain/plan.ts';
import { admit } from '../guards/admission.ts';

// Pure: whether one node lets its group be switched on.

/** The prospect of a node as far as its group does not decide. */
function prospectOf(facts: Facts) {
  return defragProspect(facts, facts.diagnosis.layers);
}

/** What a defrag of the node would return, if its group switches it. */
export function promised(facts: Facts): number {
  return prospectOf(facts).kind === 'by-group' ? facts.diagnosis.reclaimable.defrag : 0;
}

/** A group has no `hz`: the promise has to hold at the default. */
export function cycleOf({ policy, observation }: Facts) {
  return defragSettings(policy.defrag, {}, observation.engine, valueBytesOf(observation));
}

/** What one node says to a start of its group; `act` also where it has little to gain: it is taken along. */
export function planOf(facts: Facts): Plan {
  const { observation, policy } = facts;
  const prospect = prospectOf(facts);
  if (prospect.kind === 'denied-version') return { kind: 'skip', reason: 'denied-version', denial: prospect.denial };
  if (prospect.kind === 'already-on') return { kind: 'skip', reason: 'foreign-defrag' };
  if (prospect.kind === 'disabled') return { kind: 'skip', reason: 'disabled' };
  if (observation.engine.denied) return { kind: 'skip', reason: 'denied-version', denial: observation.engine.denied };
  const { cpu, stall } = cycleOf(facts);
  const predicted = { reclaim: facts.diagnosis.reclaimable.defrag, stall, ...predictedRun(facts, cpu) };
  if (isStallTooLong(predicted, policy))
    return { kind: 'skip', reason: 'would-stall', instead: { action: 'start-defrag', predicted } };
  const action = { kind: 'start-defrag', settings: {}, cpu, expiresAt: leaseEnd(facts) } as const;
  const proposal: Acting = { kind: 'act', action, reason: 'fragmented', predicted };
  return admit(facts, proposal, terms(facts, proposal));
}
