import type { Observation } from '../domain/observation.ts';

/** `active_defrag_running` lags behind a `CONFIG SET activedefrag no`, so it counts only where the setting cannot be read. */
export function isActiveDefragOn(observation: Observation): boolean {
  const { settings, running } = observation.defrag;
  return settings?.activedefrag === undefined ? (running ?? 0) > 0 : settings.activedefrag === 'yes';
}
