import type { Denial, EngineName } from '../../domain/engine.ts';
import { BETWEEN_RELEASES, DENIED, type DenialRule, type Standing } from './deny-list.ts';
import { atLeast, type Version } from './version.ts';

const NAMES = { redis: 'Redis', valkey: 'Valkey', keydb: 'KeyDB' } as const;

/** Why active defrag must not be toggled on a server of this version, in its role; undefined where nothing is known. */
export function denial(engine: EngineName, version: Version, standing: Standing): Denial | undefined {
  const rule = ruleOn(engine, version, standing);
  return rule && { issue: rule.issue, why: rule.why, ...liftedBy(rule, standing) };
}

function ruleOn(engine: EngineName, version: Version, standing: Standing): DenialRule | undefined {
  return DENIED.find(
    (entry) =>
      entry.engine === engine &&
      atLeast(version, entry.from) &&
      (entry.before === undefined || !atLeast(version, entry.before)) &&
      (entry.only ?? []).every((trait) => standing[trait] === true),
  );
}

/** A fixed version may have another fault: 8.0.3 fixes the timers, but not yet the scripts. */
function liftedBy({ engine, from, before }: DenialRule, standing: Standing): Pick<Denial, 'fixedIn' | 'unfixed'> {
  if (from === BETWEEN_RELEASES) return { fixedIn: `a release of ${NAMES[engine]}` };
  if (before === undefined) return { fixedIn: `no known ${NAMES[engine]} release`, unfixed: true };
  const next = ruleOn(engine, before, standing);
  return next ? liftedBy(next, standing) : { fixedIn: `${NAMES[engine]} ${before.join('.')}` };
}
