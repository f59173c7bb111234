import { systemClock } from '../../functions/maintain/clock.ts';
import { tick } from '../../functions/maintain/run.ts';
import { exitCodeOf } from '../exit.ts';
import type { CommonOptions } from '../options.ts';
import { printer } from '../output.ts';
import { loadConfig, stateStore, warnOfClearText } from '../place.ts';
import { stderrLog, terminalPorts } from '../ports.ts';

export async function check(options: CommonOptions): Promise<void> {
  const { config, only } = loadConfig(options);
  warnOfClearText(config);
  const { ports, published } = terminalPorts(stateStore(options, config.stage), systemClock(), stderrLog(options));
  const result = await tick(config, ports, {
    mode: 'watch',
    holder: 'check',
    remaining: () => Number.MAX_SAFE_INTEGER,
    ...(only && { only }),
  });
  printer(options, config, published)(result);
  process.exitCode = exitCodeOf([result]);
}
