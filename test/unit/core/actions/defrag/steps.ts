import { MIB } from '../../../../../core/config/units.ts';
import { diagnose } from '../../../../../core/diagnosis/diagnose.ts';
import type { Settings } from '../../../../../core/domain/observation.ts';
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
  RUN_ID,
} from '../../../../support/builders.ts';
import { aRetainingObservation } from '../../../../support/situations.ts';
import { STOPS } from '../../reporting/samples.ts';

/** The node after a cure. */
export const tidy = anObservation({ at: NOW + 9000, memory: aTidyMemorySample() });

/** Free pages that a purge can return: RSS is 800 MiB. */
export const retaining = aRetainingObservation(328 * MIB);

export const purged = anOutcome({
  status: 'acted',
  observation: tidy,
  diagnosis: diagnose(retaining, anInstance(), {}, { runId: RUN_ID, defragSupport: 'supported' }),
  plan: aPurgePlan(),
  verdict: aVerdict({
    action: 'purge',
    rssBefore: 800 * MIB,
    reclaimed: 300 * MIB,
    predicted: 310 * MIB,
    share: 300 / 310,
    stall: 96,
    promisedStall: 250,
  }),
});
export const started = anOutcome({
  status: 'acted',
  plan: aPlan(),
  leased: true,
  settings: { hz: '500', 'active-defrag-cycle-min': '25', activedefrag: 'yes' },
});

const RESTORED: Settings = { hz: '10', 'active-defrag-cycle-min': '1', activedefrag: 'no' };
const atItsEnd: readonly StopReason[] = ['goal-met', 'no-progress'];
/** Of a run that was cut short. */
const partial = aVerdict({ rssAfter: 681 * MIB, reclaimed: 160 * MIB, share: 160 / 350 });

export const stopped = (because: StopReason, over: Partial<Outcome> = {}) =>
  anOutcome({
    status: 'acted',
    observation: tidy,
    plan: STOPS[because],
    verdict: atItsEnd.includes(because) ? aVerdict() : partial,
    settings: RESTORED,
    ...over,
  });
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
