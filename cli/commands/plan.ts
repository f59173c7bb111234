import { systemClock } from '../../core/adapters/clock.ts';
import { tick } from '../../core/reconcile/tick.ts';
import { EXIT, exitCodeOf } from '../exit.ts';
import { scopeOf } from '../fleet.ts';
import { interruption } from '../interrupt.ts';
import type { PlanOptions } from '../options.ts';
import { printer } from '../output.ts';
import { loadConfig, stateStore, warnOfClearText } from '../place.ts';
import { stderrLog, terminalPorts } from '../ports.ts';
import { nextAfterPlan, sayNext } from '../render/next.ts';
import { planTable } from '../render/plan-table.ts';

export async function plan(options: PlanOptions): Promise<void> {
  const { config, ids } = loadConfig(options);
  warnOfClearText(config);
  const { signal } = interruption(() => {});
  const offset = options.at === undefined ? 0 : options.at - Date.now();
  const clock = systemClock({ signal, offset });
  const { ports, published } = await terminalPorts(await stateStore(options, config.stage), clock, stderrLog(options));
  const result = await tick(config, ports, {
    mode: 'plan',
    holder: 'plan',
    remaining: () => Number.MAX_SAFE_INTEGER,
    interrupted: () => signal.aborted,
    scope: await scopeOf(config, ids, ports),
  });
  printer(options, published, { table: options.full ? undefined : planTable })(result);
  // The servers are as they are now: what holds at another time cannot be done now.
  if (!options.json && options.at === undefined && !signal.aborted) sayNext(nextAfterPlan(result, options));
  process.exitCode = signal.aborted ? EXIT.interrupted : exitCodeOf([result]);
}
