import { systemClock } from '../../core/adapters/clock.ts';
import type { Tick } from '../../core/reconcile/scope.ts';
import { tick } from '../../core/reconcile/tick.ts';
import { exitCodeOf } from '../exit.ts';
import { scopeOf } from '../fleet.ts';
import type { CheckOptions } from '../options.ts';
import { printer } from '../output.ts';
import { stderrLog, terminalPorts } from '../ports.ts';
import { fleetLines } from '../render/fleet.ts';
import { nextAfterCheck, nextWithout, sayNext } from '../render/next.ts';
import { NO_STATE, subjectOf } from '../subject.ts';

export async function check(addresses: readonly string[], options: CheckOptions): Promise<void> {
  const { config, ids, store, ...access } = await subjectOf('check', addresses, options);
  const { ports, published } = await terminalPorts(store, systemClock(), stderrLog(options), access);
  const result = await tick(config, ports, {
    mode: 'watch',
    holder: 'check',
    remaining: () => Number.MAX_SAFE_INTEGER,
    scope: await scopeOf(config, ids, ports),
  });
  const table = options.full ? undefined : fleetLines;
  printer(options, published, { table })(store === NO_STATE ? withoutLeases(result) : result);
  const next = access.isAddressed ? nextWithout(addresses, result, options) : nextAfterCheck(result, options);
  if (!options.json) sayNext(next);
  process.exitCode = exitCodeOf([result]);
}

/** Where no state was read, a lease may hold what is on. */
function withoutLeases(tick: Tick): Tick {
  const outcomes = tick.outcomes.map((outcome) => ({
    ...outcome,
    notices: outcome.notices.map((notice) =>
      notice.kind === 'left-on' || notice.kind === 'foreign-defrag'
        ? { ...notice, areLeasesUnknown: true as const }
        : notice,
    ),
  }));
  return { ...tick, outcomes };
}
