import { MIB } from '../../../../../core/config/units.ts';
import type { Settings } from '../../../../../core/domain/observation.ts';
import type { Outcome, Purged, Started, Stopped } from '../../../../../core/domain/outcome.ts';
import type { StopReason } from '../../../../../core/domain/plan.ts';
import type { ReportInput } from '../../../../../core/domain/report.ts';
import { reportable } from '../../../../../core/reconcile/reportable.ts';
import {
  anInstance,
  anObservation,
  anOutcome,
  aPlan,
  aPurgePlan,
  aSeen,
  aTidyMemorySample,
  aVerdict,
  NOW,
} from '../../../../support/builders.ts';
import { aRetainingObservation } from '../../../../support/situations.ts';
import { STOPS } from '../../reporting/samples.ts';

/** The node after an action. */
const tidy = aSeen({ observation: anObservation({ at: NOW + 9000, memory: aTidyMemorySample() }) });

/** Free pages that a purge can return: RSS is 800 MiB. */
export const retaining = aSeen({ observation: aRetainingObservation(328 * MIB) });

const { instance, node, before, notices } = anOutcome();
const common = { instance, node, before, notices, leased: false };

export const purged: Purged = {
  ...common,
  kind: 'purged',
  before: retaining,
  after: tidy,
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
};

export const started: Started = {
  ...common,
  kind: 'started',
  after: before,
  plan: aPlan(),
  leased: true,
  settings: { hz: '500', 'active-defrag-cycle-min': '25', activedefrag: 'yes' },
  expiresAt: NOW + 30 * 60_000,
};

const RESTORED: Settings = { hz: '10', 'active-defrag-cycle-min': '1', activedefrag: 'no' };
const atItsEnd: readonly StopReason[] = ['goal-met', 'no-progress'];
/** Of a run that was cut short. */
const partial = aVerdict({ rssAfter: 681 * MIB, reclaimed: 160 * MIB, share: 160 / 350 });

export const stopped = (because: StopReason, over: Partial<Stopped> = {}): Stopped => ({
  ...common,
  kind: 'stopped',
  after: tidy,
  plan: STOPS[because],
  verdict: atItsEnd.includes(because) ? aVerdict() : partial,
  restored: RESTORED,
  leftOn: {},
  ...over,
});

/** The purge that follows a stop. */
export const purgedAfter: Purged = {
  ...purged,
  before,
  plan: aPurgePlan({ reason: 'after-defrag' }),
  verdict: aVerdict({
    action: 'purge',
    reclaimed: 140 * MIB,
    predicted: 146 * MIB,
    share: 140 / 146,
    stall: 48,
    promisedStall: 100,
  }),
};

/** As a tick reports it, when nothing was announced before. An outcome that cannot be put into words throws. */
export function reportOf(outcomes: readonly Outcome[], over: Partial<ReportInput> = {}) {
  const log = {
    info: () => {},
    warn: () => {},
    error: (message: string, fields?: Readonly<Record<string, unknown>>) => {
      throw new Error(message, { cause: fields?.error });
    },
  };
  const input = { stage: 'prod', startedAt: NOW - 500, finishedAt: NOW + 2000, outcomes, instances: [anInstance()] };
  return reportable({ ...input, ...over }, { events: [], unkept: [] }, log);
}
