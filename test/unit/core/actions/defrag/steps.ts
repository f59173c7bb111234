import { MIB } from '../../../../../core/config/units.ts';
import type { Outcome } from '../../../../../core/domain/outcome.ts';
import type { StopReason } from '../../../../../core/domain/plan.ts';
import type { ReportInput } from '../../../../../core/domain/report.ts';
import { report } from '../../../../../core/reporting/report.ts';
import {
  anInstance,
  anObservation,
  anOutcome,
  aPlan,
  aPurgePlan,
  aTidyMemorySample,
  aVerdict,
  NODE,
  NOW,
} from '../../../../support/builders.ts';
import { STOPS } from '../../reporting/samples.ts';

/** The node after a cure. */
export const tidy = anObservation({ at: NOW + 9000, memory: aTidyMemorySample() });

export const purged = anOutcome({
  status: 'acted',
  observation: tidy,
  plan: aPurgePlan(),
  verdict: aVerdict({
    action: 'purge',
    reclaimed: 300 * MIB,
    predicted: 310 * MIB,
    share: 300 / 310,
    stall: 96,
    promisedStall: 250,
  }),
});
export const started = anOutcome({ status: 'acted', plan: aPlan(), leased: true });
export const stopped = (because: StopReason, over: Partial<Outcome> = {}) =>
  anOutcome({ status: 'acted', observation: tidy, plan: STOPS[because], verdict: aVerdict(), ...over });
export const purgedAfter = anOutcome({
  status: 'acted',
  observation: tidy,
  plan: aPurgePlan({ reason: 'after-defrag' }),
  verdict: aVerdict({
    action: 'purge',
    reclaimed: 140 * MIB,
    predicted: 146 * MIB,
    share: 140 / 146,
    stall: 48,
    promisedStall: 100,
  }),
});
export const unreachable: Outcome = {
  instance: 'sessions',
  node: NODE,
  status: 'unreachable',
  problem: { kind: 'timeout', message: 'no answer', expected: true },
  notices: [],
};

export function reportOf(outcomes: readonly Outcome[], over: Partial<ReportInput> = {}) {
  return report({
    stage: 'prod',
    startedAt: NOW - 500,
    finishedAt: NOW + 2000,
    outcomes,
    instances: [anInstance()],
    ...over,
  });
}
