import type { InstanceConfig } from '../../config/schema.ts';
import type { Milliseconds } from '../../config/units.ts';
import type { Alert, AlertFact, AlertFigures } from '../../domain/alert.ts';
import { engineText } from '../../domain/engine.ts';
import type { Settings } from '../../domain/observation.ts';
import { latestIn, type Outcome, verdictIn } from '../../domain/outcome.ts';
import type { Verdict } from '../../domain/verdict.ts';
import { bytesText, durationText, percentText } from '../../format/units.ts';
import { settingsText, stallText } from '../wording/result.ts';

/** What an alert says, before its place and time are added. The title is without the instance's name. */
export interface Draft extends Pick<Alert, 'event' | 'severity' | 'title' | 'why' | 'facts' | 'next' | 'figures'> {
  /** Part of the id, where one node can have the same event twice in a tick. */
  readonly detail?: string;
}

export function verdictFacts(verdict: Verdict): readonly AlertFact[] {
  const { rssBefore, rssAfter, reclaimed, predicted, share } = verdict;
  const ofPredicted = share === undefined ? '' : ` (${percentText(share * 100)})`;
  return [
    { label: 'RSS before', value: bytesText(rssBefore), figure: 'rssBefore' },
    { label: 'RSS after', value: bytesText(rssAfter), figure: 'rssAfter' },
    {
      label: 'Returned',
      value: `${bytesText(reclaimed)} of ${bytesText(predicted)} predicted${ofPredicted}`,
      figure: 'returnedBytes',
    },
    { label: 'Cost', value: stallText(verdict) },
  ];
}

export function verdictFigures(verdict: Verdict, config: InstanceConfig | undefined): AlertFigures {
  const { rssBefore, rssAfter, predicted, reclaimed, stall, promisedStall } = verdict;
  return {
    rssBefore,
    rssAfter,
    predictedBytes: predicted,
    returnedBytes: reclaimed,
    stallMs: stall,
    promisedStallMs: promisedStall,
    ...limitFigure(config),
  };
}

export function limitFigure(config: InstanceConfig | undefined): Pick<AlertFigures, 'memoryLimit'> {
  return config?.memoryLimit === undefined ? {} : { memoryLimit: config.memoryLimit };
}

/** Which server it is, and whether it is near its memory limit. */
export function nodeFacts(outcome: Outcome): readonly AlertFact[] {
  const verdict = verdictIn(outcome);
  const seen = latestIn(outcome);
  // With the pages that the last fork has copied it is a bound, not what was: the finding says so, and here it would read as a fact.
  const found = outcome.before?.diagnosis.findings.find((finding) => finding.kind === 'near-limit');
  const nearLimit = found?.fork?.kind === 'last' ? undefined : found;
  const facts: AlertFact[] = [];
  if (nearLimit) {
    const share = percentText(nearLimit.percent);
    const after = verdict ? `, ${percentText((verdict.rssAfter / nearLimit.limit) * 100)} after` : '';
    facts.push({
      label: 'Near the limit',
      value: `${nearLimit.isUsedMemory ? 'used_memory' : 'RSS'}${nearLimit.fork ? ' and the pages that a save had copied were' : ' was'} ${share} of ${bytesText(nearLimit.limit)}${verdict ? ' before' : ''}${after}`,
    });
  }
  if (seen) {
    const { engine, replication } = seen.observation;
    const role = replication.role === 'unknown' ? '' : `, ${replication.role}`;
    facts.push({ label: 'Server', value: `${engineText(engine)}${role}` });
  }
  return facts;
}

/** The settings that the action has changed: what they are now, the switch first. */
export function settingsFact(settings: Settings = {}): readonly AlertFact[] {
  const ordered = Object.entries(settings).toSorted(
    ([a], [b]) => Number(b === 'activedefrag') - Number(a === 'activedefrag'),
  );
  return ordered.length === 0 ? [] : [{ label: 'Settings now', value: settingsText(Object.fromEntries(ordered)) }];
}

/** When the same action may run again. Not the time of day: a digest says once what all of its nodes have in common. */
export function againText(cooldown: Milliseconds | undefined): string {
  return cooldown === undefined || cooldown === 0
    ? 'The next tick may run it again.'
    : `The next run here comes after the cooldown of ${durationText(cooldown)}, at the earliest.`;
}

/** What happens after an action that returned too little. */
export function growingText(action: Verdict['action'], cooldown: Milliseconds | undefined): string {
  const advice = `If this continues, raise ${action}.minReclaim, or set ${action}.enabled to false.`;
  return cooldown === undefined || cooldown === 0
    ? `Nothing prevents an immediate repeat, because ${action}.cooldown is 0: set a cooldown. ${advice}`
    : `The cooldown of ${durationText(cooldown)} doubles after each consecutive run that returns too little. ${advice}`;
}
