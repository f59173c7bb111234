import type { Settings } from '../domain/observation.ts';

const SWITCH = /^(?:yes|no)$/;
/** Up to the largest that a server can hold (LLONG_MAX). */
const COUNT = /^\d{1,19}$/;
/** CONFIG GET prints bytes; a file or a relative of Redis' may say `100mb` (util.c memtoull). */
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

export interface SettingsRead {
  readonly settings: Settings;
  /** Settings whose value is none that they can hold: what could not be given back. */
  readonly odd: readonly string[];
}

/**
 * What CONFIG GET has printed, as far as it can be true. A value is kept in leases, sent back by CONFIG SET, and printed for people to
 * type: one that its setting cannot hold is left out, and so is a setting that was not asked for.
 */
export function settingsRead(printed: Settings): SettingsRead {
  const asked = Object.entries(printed).filter(([name]) => Object.hasOwn(FORMS, name));
  const isHeld = ([name, value]: readonly [string, string]) => FORMS[name]?.test(value) === true;
  return {
    settings: Object.fromEntries(asked.filter(isHeld)),
    odd: asked.filter((entry) => !isHeld(entry)).map(([name]) => name),
  };
}
