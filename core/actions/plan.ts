import { isActiveDefragOn } from '../diagnosis/active-defrag.ts';
import type { Facts, Plan, Skip } from '../domain/plan.ts';
import { admit } from '../guards/admission.ts';
import { ACTIONS } from './registry.ts';

/** What to do with a node without an Offpeak lease: the first action of the registry that is worth it and allowed. */
export function plan(facts: Facts): Plan {
  const { observation, diagnosis } = facts;
  if (!diagnosis.layers)
    return { kind: 'skip', reason: isActiveDefragOn(observation) ? 'foreign-defrag' : 'no-layers' };
  const skips: Skip[] = [];
  for (const action of ACTIONS) {
    const proposal = action.propose(facts);
    const decided = proposal.kind === 'act' ? admit(facts, proposal, action.terms(facts, proposal)) : proposal;
    if (decided.kind === 'act') return decided;
    skips.push(decided);
  }
  return skips.reduce(tellingMore, { kind: 'skip', reason: 'healthy' });
}

/** None acts. */
function tellingMore(first: Skip, second: Skip): Skip {
  return telling(second) > telling(first) ? second : first;
}

/** These hold at any time, until a person changes the config. */
const AT_ANY_TIME: readonly Skip['reason'][] = ['would-block', 'would-stall'];

/** What would be done at another time says the most; then what the policy forbids; then what is there to do and cannot be done. */
function telling({ reason, instead }: Skip): number {
  if (reason === 'healthy') return 0;
  if (!instead) return 1;
  return AT_ANY_TIME.includes(reason) ? 2 : 3;
}

/** The second check decides, and only for what the first one asked for as well. */
export function revalidate(first: Plan, second: Plan): Plan {
  if (first.kind === 'skip' || second.kind === 'skip') return second;
  return first.action.kind === second.action.kind ? second : { kind: 'skip', reason: 'changed' };
}
