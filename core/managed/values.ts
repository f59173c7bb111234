import { isProven } from '../actions/defrag/own-settings.ts';
import type { Settings } from '../domain/observation.ts';
import { isOverdue } from '../leases/identity.ts';
import type { Parameter } from '../ports/parameter-groups.ts';

/** The value of a parameter before the lease, and where it came from: a reset restores what the family sets. */
export interface Prior {
  readonly value?: string;
  readonly source?: string;
}

export interface GroupValues {
  /** What is changed: only what would be different. */
  readonly values: Settings;
  readonly prior: Readonly<Record<string, Prior>>;
  /** What a cycle may have of the main thread, in %. */
  readonly cpu: number;
}

export const SWITCH = 'activedefrag';
export const IGNORE_BYTES = 'active-defrag-ignore-bytes';
export const LOWER = 'active-defrag-threshold-lower';
const CYCLES = ['active-defrag-cycle-max', 'active-defrag-cycle-min'] as const;

/** Redis' own values for a node are 1 MiB and 1 %; AWS may accept only larger ones. */
const SMALLEST = { [IGNORE_BYTES]: 1_048_576, [LOWER]: 1 } as const;

/**
 * The values that switch defrag on in a group, as far as AWS accepts them; or in sentences why it is refused. Nothing is assumed of a
 * parameter: whether it is there, can be changed, applies at once, and which values it takes is what AWS says.
 *
 * @param cpu the most, in %, that keeps `maxStall` and `maxCpu` on each node
 */
export function valuesFor(
  parameters: readonly Parameter[],
  cpu: number,
): GroupValues | { readonly refused: readonly string[] } {
  const byName = new Map(parameters.map((one) => [one.name, one]));
  const names = [...CYCLES, IGNORE_BYTES, LOWER, SWITCH];
  const refused = names.flatMap((name) => unusable(name, byName.get(name)));
  if (refused.length > 0) return { refused };
  if (byName.get(SWITCH)?.value === 'yes')
    return { refused: [`${SWITCH} is yes in the group already: a person has set it, and Offpeak leaves it`] };
  const found = names.map((name): readonly [string, string | undefined] => [name, wanted(name, byName.get(name), cpu)]);
  const missing = found.flatMap(([name, value]) =>
    value === undefined ? [`${name} accepts ${byName.get(name)?.allowed}: ${tooMuch(name, cpu)}`] : [],
  );
  if (missing.length > 0) return { refused: missing };
  const changes = found.filter(([name, value]) => value !== byName.get(name)?.value);
  return {
    values: Object.fromEntries(changes) as Settings,
    prior: Object.fromEntries(changes.map(([name]) => [name, priorOf(byName.get(name))])),
    cpu,
  };
}

function unusable(name: string, parameter: Parameter | undefined): readonly string[] {
  if (!parameter) return [`the group has no ${name}`];
  if (!parameter.isModifiable) return [`AWS does not let ${name} be changed`];
  if (!parameter.isImmediate) return [`${name} would be changed by a reboot only`];
  return parameter.allowed === undefined ? [`AWS does not say which values ${name} takes`] : [];
}

function tooMuch(name: string, cpu: number): string {
  return name === SWITCH || name in SMALLEST
    ? 'the value that Offpeak needs is not among them'
    : `more than ${cpu} %, which is what defrag.maxStall and defrag.maxCpu allow`;
}

function wanted(
  name: string,
  { allowed = '' }: Parameter = { name, isModifiable: false, isImmediate: false },
  cpu: number,
) {
  if (name === SWITCH)
    return allowed
      .split(',')
      .map((one) => one.trim())
      .includes('yes')
      ? 'yes'
      : undefined;
  const range = rangeOf(allowed);
  if (!range) return undefined;
  // Larger thresholds return less and do no harm; a larger share of the processor would break a promise.
  const value =
    name in SMALLEST ? Math.max(range.least, SMALLEST[name as keyof typeof SMALLEST]) : Math.min(range.most, cpu);
  return value < range.least || value > range.most ? undefined : String(value);
}

/** `1-75`. */
export function rangeOf(allowed: string): { readonly least: number; readonly most: number } | undefined {
  const [, least, most] = /^\s*(\d+)\s*-\s*(\d+)\s*$/.exec(allowed) ?? [];
  return least === undefined ? undefined : { least: Number(least), most: Number(most) };
}

function priorOf(parameter: Parameter | undefined): Prior {
  const { value, source } = parameter ?? {};
  return { ...(value !== undefined && { value }), ...(source !== undefined && { source }) };
}

/** What is still to be restored, and what a person has changed meanwhile, by the parameters as they are now. */
export interface Restoration {
  readonly set: Settings;
  readonly reset: readonly string[];
  /** Neither Offpeak's value nor the prior one: it stays. */
  readonly leftAlone: Settings;
}

export function restorationOf(
  applied: Settings,
  prior: Readonly<Record<string, Prior>>,
  parameters: readonly Parameter[],
): Restoration {
  const now = new Map(parameters.map((one) => [one.name, one]));
  const set: Record<string, string> = {};
  const reset: string[] = [];
  const leftAlone: Record<string, string> = {};
  for (const [name, applies] of Object.entries(applied)) {
    const { value, source } = now.get(name) ?? {};
    const before = prior[name] ?? {};
    if (value === before.value || (source !== undefined && source !== 'user' && source === before.source)) continue;
    if (value !== applies) leftAlone[name] = value ?? '';
    // MemoryDB names no source: the value itself is set again.
    else if (before.value !== undefined && (before.source ?? 'user') === 'user') set[name] = before.value;
    else reset.push(name);
  }
  return { set, reset, leftAlone };
}

/**
 * The same, of a lease. A day after its end (the state was restored from a backup, or no job has run) a person may have set what stands:
 * nothing is restored then, unless so much stands that it is the lease's beyond doubt.
 */
export function restorationAt(
  lease: { readonly applied: Settings; readonly prior: Readonly<Record<string, Prior>>; readonly expiresAt: number },
  parameters: readonly Parameter[],
  now: number,
): Restoration {
  const { applied } = lease;
  const found = restorationOf(applied, lease.prior, parameters);
  const prior = Object.fromEntries(Object.entries(lease.prior).map(([name, { value = '' }]) => [name, value]));
  const current = Object.fromEntries(parameters.map(({ name, value = '' }) => [name, value]));
  const isOwn = !isOverdue(lease, now) || isProven({ applied, prior }, current);
  if (isOwn && !isSwitchedOnSince(lease, found)) return found;
  const stand = standing(found).map((name) => [name, current[name] ?? '']);
  return { set: {}, reset: [], leftAlone: { ...found.leftAlone, ...Object.fromEntries(stand) } };
}

function standing({ set, reset }: Restoration): readonly string[] {
  return [...Object.keys(set), ...reset];
}

/**
 * Only the switch stands, and another value is as before: a job has restored all, and died or had no store before it could say so. The
 * switch is never restored last, so a person has set it since.
 */
function isSwitchedOnSince(
  { prior }: { readonly prior: Readonly<Record<string, Prior>> },
  found: Restoration,
): boolean {
  const isBack = (name: string) => name !== SWITCH && !(name in found.leftAlone);
  return standing(found).join() === SWITCH && Object.keys(prior).some(isBack);
}

/** Offpeak's values are in the group, as far as they differ from the prior ones. */
export function isOn(found: Restoration): boolean {
  return standing(found).length > 0;
}
