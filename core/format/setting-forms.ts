import type { Settings } from '../domain/observation.ts';
import { lookup } from './lookup.ts';

const SWITCH = /^(?:yes|no)$/;
/** Up to the largest that a server can hold (LLONG_MAX). */
const COUNT = /^\d{1,19}$/;
/** CONFIG GET prints bytes; a file or a relative of Redis may have `100mb` (util.c memtoull). */
const AMOUNT = /^\d{1,19}(?:b|[kmg]b?)?$/i;

/** Every setting that a run reads or sets, with what it can hold (config.c). */
const FORMS: Readonly<Record<string, RegExp>> = {
  activedefrag: SWITCH,
  'active-defrag-cycle-max': COUNT,
  'active-defrag-cycle-min': COUNT,
  'active-defrag-cycle-us': COUNT,
  'active-defrag-ignore-bytes': AMOUNT,
  'active-defrag-max-scan-fields': COUNT,
  'active-defrag-threshold-lower': COUNT,
  'active-defrag-threshold-upper': COUNT,
  hz: COUNT,
  'latency-monitor-threshold': COUNT,
};

interface SettingsRead {
  readonly settings: Settings;
  /** Settings with a value that they cannot hold, and that could not be restored. */
  readonly odd: readonly string[];
}

/**
 * The values that CONFIG GET has printed, as far as they are possible. A value is kept in leases, restored by CONFIG SET, and printed for people
 * to type: a value that its setting cannot hold is left out, and so is a setting that was not requested.
 */
export function settingsRead(printed: Settings): SettingsRead {
  const asked = Object.entries(printed).filter(([name]) => Object.hasOwn(FORMS, name));
  const isHeld = ([name, value]: readonly [string, string]) => lookup(FORMS, name)?.test(value) === true;
  return {
    settings: Object.fromEntries(asked.filter(isHeld)),
    odd: asked.filter((entry) => !isHeld(entry)).map(([name]) => name),
  };
}
