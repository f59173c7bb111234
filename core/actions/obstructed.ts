import type { Prospect } from '../domain/diagnosis.ts';
import type { Plan } from '../domain/plan.ts';

// What would be worth doing, were it allowed.

type Withheld = NonNullable<Extract<Plan, { kind: 'skip' }>['instead']>;

/** The plan that follows from an action that is not possible here. */
export function withoutIt(prospect: Exclude<Prospect, { kind: 'worthwhile' }>, instead: Withheld): Plan {
  switch (prospect.kind) {
    case 'little':
      return { kind: 'skip', reason: 'healthy' };
    case 'already-on':
      return { kind: 'skip', reason: 'foreign-defrag' };
    case 'denied-version':
      return { kind: 'skip', reason: 'denied-version', denial: prospect.denial };
    case 'would-block':
    case 'would-stall':
      return { kind: 'skip', reason: prospect.kind, instead };
    case 'unknown-engine': {
      // At any time of day: no window makes it known.
      const { calledItself = 'unknown', version } = prospect;
      const blockers = [{ kind: 'unknown-engine', engine: calledItself, version }] as const;
      return { kind: 'skip', reason: 'unknown-engine', instead, blockers };
    }
    default:
      return { kind: 'skip', reason: prospect.kind };
  }
}
