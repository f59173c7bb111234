import { isNearLimit } from '../config/near-limit.ts';
import type { InstanceConfig, Schedule } from '../config/schema.ts';
import { checksOf, TROUBLE_NAMES, type TroubleName } from '../config/trouble.ts';
import { machineMemory } from '../diagnosis/limit.ts';
import { kernelBytes } from '../domain/account.ts';
import type { TroubleState } from '../domain/node-history.ts';
import type { Observation } from '../domain/observation.ts';
import { isOfConfig, latestIn, type Outcome, type Seen } from '../domain/outcome.ts';

/** What one check says of a node: whether each trouble is there. What is not in it is unknown. */
export type Found = ReadonlyMap<TroubleName, boolean>;

type Policy = Pick<InstanceConfig, 'id' | 'memoryLimit' | 'thresholds'>;

/** A node that was not checked, or of which the config's fault keeps the job, says nothing. */
export function troubleFound(outcome: Outcome, config: Policy): Found {
  if (outcome.kind === 'unreachable') return new Map([['unreachable', true]]);
  const seen = seenNow(outcome);
  if (!seen) return new Map();
  const { observation, diagnosis } = seen;
  const { fragmentationWarning, fragmentationCritical } = config.thresholds;
  const { memory } = observation;
  return new Map([
    ['fragmentation-warning', isFragmented(memory, fragmentationWarning)],
    ['fragmentation-critical', isFragmented(memory, fragmentationCritical)],
    ['near-limit', isNearLimit(kernelBytes(diagnosis.account), config, machineMemory(memory))],
    ['unreachable', false],
  ]);
}

/** A node that has gone silent since its first check was not observed, nor one that turned out to be none. */
export function seenNow(outcome: Outcome): Seen | undefined {
  return outcome.kind === 'unreachable' || isOfConfig(outcome.kind) ? undefined : latestIn(outcome);
}

/** The same comparison as the expression of a node's own alarm. */
function isFragmented(memory: Observation['memory'], threshold: { readonly ratio: number; readonly floor: number }) {
  const { usedMemory, usedMemoryRss } = memory;
  if (usedMemory === undefined || usedMemoryRss === undefined || usedMemory <= 0) return false;
  return usedMemoryRss - usedMemory >= threshold.floor && usedMemoryRss / usedMemory > threshold.ratio;
}

/** By name; what a node has no trouble with is not in it. */
export type TroubleStates = Readonly<Record<string, TroubleState>>;

export interface TroubleEvent {
  readonly name: TroubleName;
  readonly phase: 'began' | 'over';
  /** Epoch ms: the first check that has found it. */
  readonly since: number;
}

/** An end takes two checks in a row: else a node at its threshold would send a message with every check. */
const CHECKS_TO_END = 2;

interface Moment {
  /** Epoch ms of the check. */
  readonly now: number;
  readonly schedule: Pick<Schedule, 'every'>;
  readonly policy: Policy;
}

/**
 * What is known of a node's troubles after one more check, and what has to be reported of it: a trouble that has been found in as many checks
 * as its alarm would take, and the end of one that was reported. Times decide, and not the number of checks: ticks that were missed change
 * nothing, and further checks within a tick neither. After a clock that was set back they begin anew.
 */
export function advance(
  before: TroubleStates,
  found: Found,
  moment: Moment,
): { readonly after: TroubleStates; readonly events: readonly TroubleEvent[] } {
  const events: TroubleEvent[] = [];
  // What a newer version has stored stays as it is.
  const after = new Map(Object.entries(before));
  for (const name of TROUBLE_NAMES) {
    const { state, event } = nextOf(name, before, found.get(name), moment);
    if (state) after.set(name, state);
    else after.delete(name);
    if (event) events.push(event);
  }
  return { after: Object.fromEntries(after), events };
}

interface Next {
  readonly state?: TroubleState | undefined;
  readonly event?: TroubleEvent;
}

function nextOf(name: TroubleName, before: TroubleStates, isFound: boolean | undefined, moment: Moment): Next {
  const state = before[name];
  if (isFound === undefined) return { state };
  const { now, schedule, policy } = moment;
  if (!isFound) return state?.reportedFor === undefined ? {} : ending(name, state, moment);
  const since = Math.min(state?.since ?? now, now);
  // The end has not come: the message about the beginning still holds.
  if (state?.reportedFor !== undefined) return { state: { since, reportedFor: state.reportedFor } };
  // The worse of the two is reported, and includes it.
  const isIncluded = name === 'fragmentation-warning' && before['fragmentation-critical']?.reportedFor !== undefined;
  const isDue = !isIncluded && hasLasted(now - since, checksOf(name, policy, schedule), schedule);
  if (!isDue) return { state: { since } };
  return { state: { since, reportedFor: policy.id }, event: { name, phase: 'began', since } };
}

function ending(name: TroubleName, state: TroubleState, { now, schedule }: Moment): Next {
  const goneSince = Math.min(state.goneSince ?? now, now);
  if (!hasLasted(now - goneSince, CHECKS_TO_END, schedule)) return { state: { ...state, goneSince } };
  return { event: { name, phase: 'over', since: state.since } };
}

/** From the first of `checks` checks to the last one; ticks are not to the second, so half of one is as good. */
function hasLasted(duration: number, checks: number, { every }: Pick<Schedule, 'every'>): boolean {
  return checks <= 1 || duration >= (checks - 1.5) * every;
}
