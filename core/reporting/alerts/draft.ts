import type { InstanceConfig } from '../../config/schema.ts';
import type { Milliseconds } from '../../config/units.ts';
import type { AlertEvent, AlertFact, AlertFigures, Severity } from '../../domain/alert.ts';
import type { Settings } from '../../domain/observation.ts';
import { latestIn, type Outcome, verdictIn } from '../../domain/outcome.ts';
import type { Verdict } from '../../domain/verdict.ts';
import { bytesText, durationText, percentText } from '../../format/units.ts';
import { settingsText, stallText } from '../wording/result.ts';

/** What an alert says, before the where and when. */
export interface Draft {
  readonly event: AlertEvent;
  readonly severity: Severity;
  /** Without the instance's name. */
  readonly title: string;
  readonly why: string;
  readonly facts: readonly AlertFact[];
  readonly next: string;
  readonly figures?: AlertFigures;
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

/** What whoever reads it wants to know of the node besides: which server, and whether the limit is close. */
export function nodeFacts(outcome: Outcome): readonly AlertFact[] {
  const verdict = verdictIn(outcome);
  const seen = latestIn(outcome);
  const nearLimit = outcome.before?.diagnosis.findings.find((finding) => finding.kind === 'near-limit');
  const facts: AlertFact[] = [];
  if (nearLimit) {
    const share = percentText(nearLimit.percent);
    const after = verdict ? `, ${percentText((verdict.rssAfter / nearLimit.limit) * 100)} after` : '';
    facts.push({
      label: 'Near the limit',
      value: `RSS was ${share} of ${bytesText(nearLimit.limit)}${verdict ? ' before' : ''}${after}`,
    });
  }
  if (seen) {
    const { engine, replication } = seen.observation;
    const role = replication.role === 'unknown' ? '' : `, ${replication.role}`;
    facts.push({ label: 'Server', value: `${engine.name} ${engine.version}${role}` });
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

/** When the same cure may come again. */
export function againText(cooldown: Milliseconds | undefined): string {
  return cooldown === undefined || cooldown === 0
    ? 'The next tick may run it again.'
    : `It is not run again here before its cooldown of ${durationText(cooldown)} is over.`;
}

/** What an ineffective cure leads to. */
export function growingText(cure: Verdict['cure'], cooldown: Milliseconds | undefined): string {
  const advice = `If it stays so, raise ${cure}.minReclaim or set ${cure}.enabled to false.`;
  return cooldown === undefined || cooldown === 0
    ? `Nothing keeps it from being repeated at once, since ${cure}.cooldown is 0: set one. ${advice}`
    : `The cooldown grows: the ${durationText(cooldown)} double with each run in a row that returns too little. ${advice}`;
}
