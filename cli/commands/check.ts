import type { Command } from 'commander';
import { systemClock } from '../../core/adapters/clock.ts';
import { tick } from '../../core/reconcile/tick.ts';
import { exitCodeOf } from '../exit.ts';
import { type CommonOptions, loadConfig, stateStore, warnOfClearText, withCommonOptions } from '../options.ts';
import { printer } from '../output.ts';
import { stderrLog, terminalPorts } from '../ports.ts';

export function addCheck(program: Command): void {
  withCommonOptions(program.command('check'))
    .summary('look at every node and say where its memory goes')
    .description('Looks at every node once and takes its RSS apart. Reads only: INFO, CONFIG GET, LATENCY LATEST.')
    .action(check);
}

async function check(options: CommonOptions): Promise<void> {
  const { config, scope } = loadConfig(options);
  warnOfClearText(config);
  const { ports, told } = terminalPorts(stateStore(options, config.stage), systemClock(), stderrLog(options));
  const result = await tick(config, ports, {
    mode: 'watch',
    holder: 'check',
    remaining: () => Number.MAX_SAFE_INTEGER,
    scope,
  });
  printer(options, config, told)(result);
  process.exitCode = exitCodeOf([result]);
}
