import { MAX_HZ } from '../../diagnosis/cycle.ts';
import type { Applied, Lease } from '../../domain/lease.ts';
import type { Observation, Settings } from '../../domain/observation.ts';
import { restoreCommands } from '../../format/manual-restore.ts';
import { identify } from '../../leases/identity.ts';
import { isOwnValue } from './ladder.ts';
import { IGNORE_BYTES, inTurns, LATENCY_THRESHOLD_MS, THRESHOLD_LOWER } from './settings.ts';

/** What a lease, or the record that it has left, says of the settings of its server. */
interface Changed extends Applied {
  readonly prior: Settings;
}

/** Offpeak's settings on a server without a lease. */
export interface OwnSettings {
  readonly standing: Settings;
  /** `record`: what was before is known. `values`: nothing but the values tells. */
  readonly by: 'record' | 'values';
}

/** Settings that hold a value which the job has given them, and which was another one before. */
export function standing(changed: Changed, settings: Settings = {}): Settings {
  return Object.fromEntries(
    Object.keys(changed.applied).flatMap((name) => {
      const value = settings[name];
      const isOwn = value !== undefined && value !== changed.prior[name] && isOwnValue(changed, name, value);
      return isOwn ? [[name, value]] : [];
    }),
  );
}

/** A person may want one value that stands as the job set it. Two of them, besides the switch, are no accident. */
const PROOFS = 2;

/** Whether the job has set what stands, beyond doubt, where no lease that is on says so. */
export function isProven(changed: Changed, settings: Settings | undefined): boolean {
  const isProof = (name: string) => name !== 'activedefrag';
  const possible = Object.keys(changed.applied).filter(
    (name) => isProof(name) && changed.applied[name] !== changed.prior[name],
  );
  const names = Object.keys(standing(changed, settings));
  const found = names.filter(isProof).length;
  // A lease that has changed hardly anything has the switch for its second proof.
  return possible.length < PROOFS ? found > 0 && found === possible.length && found < names.length : found >= PROOFS;
}

/**
 * Whether a restarted server has Offpeak's settings from its file: two of them, the switch included. One alone may be what its file has
 * always held, where a person had set another value for the time before.
 */
export function hasSurvived(changed: Changed, settings: Settings | undefined): boolean {
  return Object.keys(standing(changed, settings)).length >= PROOFS;
}

/** The record of an earlier lease, as far as it proves something. */
interface Recorded extends Changed {
  readonly runId: string;
  readonly acquiredAt: number;
  readonly givenBackOn?: string;
}

/**
 * Offpeak's settings on a server without a lease: after a restart from a config file that a CONFIG REWRITE has written during a lease
 * (Sentinel does one at each failover), or when the state was lost or restored.
 */
export function ownSettings(observation: Observation, record?: Recorded): OwnSettings | undefined {
  const { settings } = observation.defrag;
  if (settings === undefined) return undefined;
  // Restored once on this process: a person who wants it may have typed what stands again. It is only reported.
  const isBack = record?.givenBackOn !== undefined && record.givenBackOn === observation.runId;
  if (record && !isBack && isOfServer(record, observation) && isProven(record, settings))
    return { standing: standing(record, settings), by: 'record' };
  const signs = signsIn(settings);
  return signs && { standing: signs, by: 'values' };
}

/** The process of the record, or a younger one at its address. */
function isOfServer(record: Recorded, observation: Observation): boolean {
  return observation.uptime === undefined || identify(record, observation) !== 'another';
}

/**
 * The values that only this job gives: `hz` at its maximum, and equal bounds of the CPU share. With one of them, and two in all, an
 * operator's own tuning is not taken for Offpeak's.
 */
function signsIn(settings: Settings): Settings | undefined {
  const { hz, activedefrag } = settings;
  const [min, max] = [settings['active-defrag-cycle-min'], settings['active-defrag-cycle-max']];
  const strong = {
    ...(hz === String(MAX_HZ) && { hz }),
    ...(min !== undefined && min === max && { 'active-defrag-cycle-min': min, 'active-defrag-cycle-max': min }),
  };
  const weak = Object.entries({
    'active-defrag-ignore-bytes': String(IGNORE_BYTES),
    'active-defrag-threshold-lower': String(THRESHOLD_LOWER),
    'latency-monitor-threshold': String(LATENCY_THRESHOLD_MS),
  }).filter(([name, value]) => settings[name] === value);
  const isOn = activedefrag === 'yes';
  const count = (strong.hz ? 1 : 0) + ('active-defrag-cycle-min' in strong ? 1 : 0) + weak.length;
  if (Object.keys(strong).length === 0 || count < PROOFS + (isOn ? 0 : 1)) return undefined;
  return { ...(isOn && { activedefrag }), ...strong, ...Object.fromEntries(weak) };
}

/** What Redis starts with (config.c): where nothing says what stood there before. */
const DEFAULTS: Settings = {
  activedefrag: 'no',
  hz: '10',
  'active-defrag-cycle-min': '1',
  'active-defrag-cycle-max': '25',
  'active-defrag-ignore-bytes': '104857600',
  'active-defrag-threshold-lower': '10',
  'latency-monitor-threshold': '0',
};

/** What to type to restore what stands, as far as anything is known of what was before. */
export function remedy(names: readonly string[], prior: Settings = DEFAULTS): string {
  return restoreCommands(Object.fromEntries(names.flatMap((name) => (prior[name] ? [[name, prior[name]]] : []))));
}

/** Every setting of the lease stands as the job set it. Where CONFIG GET is refused, that is unknown, and assumed. */
function isInPlace(lease: Applied, { defrag }: Observation): boolean {
  const { settings } = defrag;
  return settings === undefined || Object.keys(lease.applied).every((name) => isOwnValue(lease, name, settings[name]));
}

/**
 * Whether the settings of a lease whose job died were sent. One of them besides the switch says so, whatever a person has changed since;
 * the switch alone may be a person's own. Where CONFIG SET takes one setting at a time, it has to be one of those that are sent after
 * the switch; or else all that are sent before it stand, and the job died in between.
 */
export function wasTaken(lease: Applied & Pick<Lease, 'prior'>, observation: Observation): boolean {
  if (isInPlace(lease, observation)) return true;
  const { settings } = observation.defrag;
  const isOwn = ([name]: [string, string]) =>
    isOwnValue(lease, name, settings?.[name]) && lease.prior[name] !== settings?.[name];
  const { prepared, switched } = inTurns(lease.applied);
  const { activedefrag, ...proof } = switched;
  if (Object.entries(proof).some(isOwn)) return true;
  if (observation.engine.atomicConfigSet) return Object.entries(prepared).some(isOwn);
  return settings?.activedefrag === activedefrag && Object.entries(prepared).every(isOwn);
}

/**
 * Whether a job has restored everything already, and then died before it could drop its lease, or could not write to the store. No setting
 * of the lease is left then, and a person has switched on what is on again.
 */
export function wasRestored(lease: Applied & Pick<Lease, 'prior' | 'phase'>, observation: Observation): boolean {
  return lease.phase !== 'taking' && !wasTaken(lease, observation);
}
