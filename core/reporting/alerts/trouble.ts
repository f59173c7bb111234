import type { InstanceConfig } from '../../config/schema.ts';
import { TROUBLES, type TroubleName } from '../../config/trouble.ts';
import type { Alert, AlertFact } from '../../domain/alert.ts';
import { type Outcome, problemIn } from '../../domain/outcome.ts';
import { TROUBLE_NEXT, TROUBLE_TITLES, troubleText } from '../../format/trouble.ts';
import { bytesText, ratioText, sentence, timeText } from '../../format/units.ts';
import { seenNow, type TroubleEvent } from '../trouble.ts';
import { alertOf } from './alerts.ts';
import { limitFigure, nodeFacts } from './draft.ts';

interface Moment {
  readonly stage: string;
  /** Epoch ms. */
  readonly at: number;
}

/**
 * The message about a trouble of a node that has lasted, or about its end. The end has the severity of the beginning: a subscriber who gets the
 * one gets the other.
 */
export function troubleAlert(
  outcome: Outcome,
  config: InstanceConfig,
  { name, phase, since }: TroubleEvent,
  { stage, at }: Moment,
): Alert {
  const found = sentence(`in each check since ${timeText(since, { now: at })}, ${troubleText(name, config)}`);
  const problem = problemIn(outcome)?.message;
  const draft =
    phase === 'over'
      ? { ...overDraft(name, since, at), facts: factsOf(outcome) }
      : {
          event: 'trouble-began' as const,
          severity: TROUBLES[name].severity,
          title: TROUBLE_TITLES[name].began,
          why: problem === undefined ? found : `${found} ${sentence(problem)}`,
          facts: factsOf(outcome),
          next: TROUBLE_NEXT[name],
          detail: name,
        };
  return alertOf(stage, outcome, at, { ...draft, figures: limitFigure(config) }, since);
}

/** For a node that is no longer checked: neither the config nor a discovery names it. */
export function abandonedTrouble(
  place: { readonly instance: string; readonly node: string },
  { name, since }: Pick<TroubleEvent, 'name' | 'since'>,
  { stage, at }: Moment,
): Alert {
  const why = `It began at ${timeText(since, { now: at })}. Neither the config nor a discovery names the node any more, so that Offpeak no longer checks it.`;
  const draft = { ...overDraft(name, since, at), title: 'a node in trouble is no longer checked', why, facts: [] };
  return alertOf(stage, place, at, draft, since);
}

function overDraft(name: TroubleName, since: number, at: number) {
  return {
    event: 'trouble-over' as const,
    severity: TROUBLES[name].severity,
    title: TROUBLE_TITLES[name].over,
    why: `It began at ${timeText(since, { now: at })}, and the last two checks have not found it.`,
    next: 'Nothing to do.',
    detail: name,
  };
}

function factsOf(outcome: Outcome): readonly AlertFact[] {
  const memory = seenNow(outcome)?.observation.memory;
  const { usedMemory, usedMemoryRss } = memory ?? {};
  const measured =
    usedMemory === undefined || usedMemoryRss === undefined || usedMemory <= 0
      ? []
      : [
          {
            label: 'RSS',
            value: `${bytesText(usedMemoryRss)}, ${ratioText(usedMemoryRss / usedMemory)} times the used memory`,
          },
        ];
  return [...measured, ...nodeFacts(outcome)];
}
