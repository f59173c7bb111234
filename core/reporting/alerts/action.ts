import type { InstanceConfig } from '../../config/schema.ts';
import type { AlertFact } from '../../domain/alert.ts';
import type { Outcome, Purged, Started } from '../../domain/outcome.ts';
import { bytesText, durationText, sentence, timeText } from '../../format/units.ts';
import { reasonText } from '../wording/plan.ts';
import {
  againText,
  type Draft,
  growingText,
  limitFigure,
  nodeFacts,
  settingsFact,
  verdictFacts,
  verdictFigures,
} from './draft.ts';
import { stopDraft } from './stop.ts';

/** The alert of what an action did; none where nothing was done. */
export function actionDraft(outcome: Outcome, config: InstanceConfig | undefined, stage: string): Draft | undefined {
  switch (outcome.kind) {
    case 'started':
      return startDraft(outcome, config);
    case 'purged':
      return purgeDraft(outcome, config);
    case 'stopped':
      return stopDraft(outcome, config, stage);
    default:
      return undefined;
  }
}

function purgeDraft(outcome: Purged, config: InstanceConfig | undefined): Draft {
  const { verdict } = outcome;
  const cooldown = config?.purge.cooldown;
  const common = {
    why: whyText(outcome, config),
    facts: [...verdictFacts(verdict), ...nodeFacts(outcome)],
    figures: verdictFigures(verdict, config),
  };
  if (verdict.kind !== 'improved') {
    const title = `a purge returned ${bytesText(verdict.reclaimed)} of ${bytesText(verdict.predicted)} predicted`;
    return { event: 'action-ineffective', severity: 'warning', title, next: growingText('purge', cooldown), ...common };
  }
  const title = `${bytesText(verdict.reclaimed)} returned by a purge`;
  return { event: 'purged', severity: 'info', title, next: `Nothing to do. ${againText(cooldown)}`, ...common };
}

function startDraft(outcome: Started, config: InstanceConfig | undefined): Draft {
  const { plan, after, expiresAt, settings } = outcome;
  const { observation } = after;
  const rss = observation.memory.usedMemoryRss;
  const promised = config?.defrag.maxStall;
  const until = timeText(expiresAt, { timezone: config?.timezone, now: observation.at });
  const facts: readonly AlertFact[] = [
    ...(rss === undefined ? [] : [{ label: 'RSS', value: bytesText(rss), figure: 'rssBefore' } as const]),
    { label: 'Predicted', value: `${bytesText(plan.predicted.reclaim)} back`, figure: 'predictedBytes' },
    ...(promised === undefined
      ? []
      : [{ label: 'Promised', value: `at most ${durationText(promised)} for a cycle, in 99.9 % of the time` }]),
    { label: 'Ends', value: `${until} at the latest` },
    ...settingsFact(settings),
    ...nodeFacts(outcome),
  ];
  return {
    event: 'defrag-started',
    severity: 'info',
    title: `active defrag started, ${bytesText(plan.predicted.reclaim)} predicted back`,
    why: whyText(outcome, config),
    facts,
    next: 'Nothing to do. Offpeak monitors it, ends it, and restores every setting.',
    figures: {
      ...(rss !== undefined && { rssBefore: rss }),
      predictedBytes: plan.predicted.reclaim,
      ...(promised !== undefined && { promisedStallMs: promised }),
      ...limitFigure(config),
    },
  };
}

function whyText({ plan, before, after }: Started | Purged, config: InstanceConfig | undefined): string {
  return sentence(reasonText(plan, config?.timezone, { now: after.observation.at, diagnosis: before.diagnosis }));
}
