import { MIB } from '../../../../../core/config/units.ts';
import type { Outcome, Purged, Started, Stopped } from '../../../../../core/domain/outcome.ts';
import type { StopReason } from '../../../../../core/domain/plan.ts';
import type { ReportInput } from '../../../../../core/domain/report.ts';
import { NOTHING_ANNOUNCED } from '../../../../../core/reconcile/announcer.ts';
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
import { STOPS } from '../../reporting/samples.ts';

/** The node after a cure. */
export const tidy = aSeen({ observation: anObservation({ at: NOW + 9000, memory: aTidyMemorySample() }) });

const { instance, node, before, notices } = anOutcome();
const common = { instance, node, before, notices, leased: false };

export const purged: Purged = {
  ...common,
  kind: 'purged',
  after: tidy,
  plan: aPurgePlan(),
  verdict: aVerdict({
    cure: 'purge',
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
  settings: {},
  expiresAt: NOW + 30 * 60_000,
};

export const stopped = (because: StopReason, over: Partial<Stopped> = {}): Stopped => ({
  ...common,
  kind: 'stopped',
  after: tidy,
  plan: STOPS[because],
  verdict: aVerdict(),
  restored: {},
  leftOn: {},
  ...over,
});

/** The purge that follows a stop. */
export const purgedAfter: Purged = {
  ...purged,
  plan: aPurgePlan({ reason: 'after-defrag' }),
  verdict: aVerdict({
    cure: 'purge',
    reclaimed: 140 * MIB,
    predicted: 146 * MIB,
    share: 140 / 146,
    stall: 48,
    promisedStall: 100,
  }),
};

/** As a tick tells it, when nothing was announced before. What cannot be told throws. */
export function reportOf(outcomes: readonly Outcome[], over: Partial<ReportInput> = {}) {
  const log = {
    info: () => {},
    warn: () => {},
    error: (message: string, fields?: Readonly<Record<string, unknown>>) => {
      throw new Error(message, { cause: fields?.error });
    },
  };
  const input = { stage: 'prod', startedAt: NOW - 500, finishedAt: NOW + 2000, outcomes, instances: [anInstance()] };
  return reportable({ ...input, ...over }, NOTHING_ANNOUNCED, log);
}
