import { systemClock } from '../../core/adapters/clock.ts';
import { tick } from '../../core/reconcile/tick.ts';
import { exitCodeOf } from '../exit.ts';
import type { CommonOptions } from '../options.ts';
import { printer } from '../output.ts';
import { loadConfig, stateStore, warnOfClearText } from '../place.ts';
import { stderrLog, terminalPorts } from '../ports.ts';

export async function check(options: CommonOptions): Promise<void> {
  const { config, scope } = loadConfig(options);
  warnOfClearText(config);
  const { ports, published } = await terminalPorts(
    await stateStore(options, config.stage),
    systemClock(),
    stderrLog(options),
  );
  const result = await tick(config, ports, {
    mode: 'watch',
    holder: 'check',
    remaining: () => Number.MAX_SAFE_INTEGER,
    scope,
  });
  printer(options, config, published)(result);
  process.exitCode = exitCodeOf([result]);
}
