import type { Command } from 'commander';
import { systemClock } from '../../core/adapters/clock.ts';
import { tick } from '../../core/reconcile/tick.ts';
import { EXIT, exitCodeOf } from '../exit.ts';
import { interruption } from '../interrupt.ts';
import {
  type CommonOptions,
  loadConfig,
  parseInstant,
  stateStore,
  warnOfClearText,
  withCommonOptions,
} from '../options.ts';
import { printer } from '../output.ts';
import { stderrLog, terminalPorts } from '../ports.ts';

interface PlanOptions extends CommonOptions {
  readonly at?: number;
}

export function addPlan(program: Command): void {
  withCommonOptions(program.command('plan'))
    .summary('what would be done now, and why (or why not)')
    .description(
      'Decides as a tick would, and does nothing. Where a cure is due it looks twice, as a tick does: a second apart before a' +
        ' defrag, 12 s before a purge, since pages that leave by themselves need none. The only question that it asks a server' +
        ' beyond reading is whether its build can defragment, by a CONFIG SET that cannot succeed.',
    )
    .option('--at <time>', 'plan for another time, ISO 8601 with a zone; the servers are looked at now', parseInstant)
    .action(plan);
}

async function plan(options: PlanOptions): Promise<void> {
  const { config, scope } = loadConfig(options);
  warnOfClearText(config);
  const { signal } = interruption(() => {});
  const offset = options.at === undefined ? 0 : options.at - Date.now();
  const clock = systemClock({ signal, offset });
  const { ports, told } = terminalPorts(stateStore(options, config.stage), clock, stderrLog(options));
  const result = await tick(config, ports, {
    mode: 'plan',
    holder: 'plan',
    remaining: () => Number.MAX_SAFE_INTEGER,
    interrupted: () => signal.aborted,
    scope,
  });
  printer(options, config, told)(result);
  process.exitCode = signal.aborted ? EXIT.interrupted : exitCodeOf([result]);
}
