import { randomUUID } from 'node:crypto';
import { systemClock } from '../../core/adapters/clock.ts';
import type { Tick } from '../../core/reconcile/scope.ts';
import { commandLineFor } from '../command-line.ts';
import { EXIT, exitCodeOf, exitCodeOfRun } from '../exit.ts';
import { interruption } from '../interrupt.ts';
import type { RunOptions } from '../options.ts';
import { printer } from '../output.ts';
import { loadConfig, stateStore, stateText, warnOfClearText } from '../place.ts';
import { stderrLog, terminalPorts } from '../ports.ts';
import { leasesOn, leftOnLines } from '../render/leases.ts';
import { ticks } from '../watch.ts';

export async function run(options: RunOptions): Promise<void> {
  const { config, scope } = loadConfig(options);
  warnOfClearText(config);
  const { signal } = interruption(() => process.stderr.write('\noffpeak: interrupted: restoring settings\n'));
  const { ports, published } = await terminalPorts(
    await stateStore(options, config.stage),
    systemClock({ signal }),
    stderrLog(options),
    { publish: options.publish ? config : undefined },
  );
  const until = options.untilIdle ? 'idle' : options.watch ? 'interrupted' : 'once';
  const commandLine = commandLineFor(options);
  const print = printer(options, config, published, until === 'once' ? { commandLine } : {});
  let latest: Tick | undefined;
  let exitCode: number = EXIT.fine;
  const tickOptions = {
    mode: 'act',
    holder: randomUUID(),
    remaining: () => Number.MAX_SAFE_INTEGER,
    scope,
  } as const;
  for await (const tick of ticks(config, ports, tickOptions, { every: options.every, until, signal })) {
    print(tick);
    // A watch may last for months: what it has seen is not kept.
    exitCode = Math.max(exitCode, exitCodeOf([tick]));
    latest = tick;
  }
  const left = latest === undefined ? [] : leasesOn(latest);
  process.stderr.write(leftOnLines(left, config, stateText(options, config.stage), commandLine).join(''));
  process.exitCode = signal.aborted ? EXIT.interrupted : exitCodeOfRun(exitCode, latest);
}
