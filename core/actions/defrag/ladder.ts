import type { Percent } from '../../config/units.ts';
import { SLICE } from '../../diagnosis/cycle.ts';
import type { Applied, Ladder } from '../../domain/lease.ts';
import type { Settings } from '../../domain/observation.ts';

export const SLICE_SETTING = 'active-defrag-cycle-us';

/** Steps that a run can be made gentler by: each halves the work of a cycle. At the last one an eighth is left. */
export const GENTLEST = 3;

/** The share of the main thread, in %, at one of the steps. */
export function cpuAt(cpu: Percent, level: number): Percent {
  return Math.max(1, Math.floor(cpu / 2 ** level));
}

/** The steps of a run that begins with `cpu` % on a server with these settings. */
export function ladderOf(cpu: Percent, current: Settings): Ladder {
  const levels = Array.from({ length: GENTLEST + 1 }, (_, level) => level);
  const shares = levels.map((level) => String(cpuAt(cpu, level)));
  const slices = levels.map((level) => sliceAt(current, level));
  return {
    'active-defrag-cycle-max': shares,
    'active-defrag-cycle-min': shares,
    ...(slices[0] !== '' && { [SLICE_SETTING]: slices }),
  };
}

/** Whether a setting holds a value that the lease has given it, at whatever pace. */
export function isOwnValue({ applied, ladder }: Applied, name: string, value: string | undefined): boolean {
  return (
    value !== undefined && (value === applied[name] || (name in applied && ladder?.[name]?.includes(value) === true))
  );
}

/** What CONFIG SET has to change for this step. What another person has set meanwhile stays. */
export function paceSettings(lease: Applied, level: number, current: Settings): Settings {
  return Object.fromEntries(
    Object.entries(lease.ladder ?? {}).flatMap(([name, steps]) => {
      const wanted = steps[level];
      return wanted !== undefined && current[name] !== wanted && isOwnValue(lease, name, current[name])
        ? [[name, wanted]]
        : [];
    }),
  );
}

/** In microseconds, never longer than the operator's own; empty where there is no such setting. */
export function sliceAt(current: Settings, level: number): string {
  const configured = Number(current[SLICE_SETTING]);
  if (!(configured > 0)) return '';
  return String(Math.max(1, Math.floor(Math.min(configured, SLICE * 1000) / 2 ** level)));
}
