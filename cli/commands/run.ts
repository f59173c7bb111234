import { systemClock } from '../../core/adapters/clock.ts';
import { HOUR } from '../../core/config/units.ts';
import type { Tick, TickOptions } from '../../core/reconcile/scope.ts';
import { type CommandLine, commandLineFor } from '../command-line.ts';
import { EXIT, earlierFailureText, exitCodeOf, exitCodeOfRun } from '../exit.ts';
import { scopeOf } from '../fleet.ts';
import { holderName } from '../holder.ts';
import { interruption } from '../interrupt.ts';
import type { RunOptions } from '../options.ts';
import { printer } from '../output.ts';
import { loadConfig, stateStore, stateText, warnOfClearText } from '../place.ts';
import { stderrLog, terminalPorts } from '../ports.ts';
import { leftOnLines } from '../render/leases.ts';
import { ticks } from '../watch.ts';

/** No run of `--now` goes on for longer; `defrag.maxDuration` may end it before. */
const NOW_LASTS = 12 * HOUR;

export async function run(options: RunOptions): Promise<void> {
  const { config, ids } = loadConfig(options);
  warnOfClearText(config);
  const { signal } = interruption(() => process.stderr.write('\noffpeak: interrupted: restoring settings\n'));
  const store = await stateStore(options, config.stage);
  const clock = systemClock({ signal });
  const { ports, published } = await terminalPorts(store, clock, stderrLog(options), {
    publish: options.publish ? config : undefined,
    webhook: options.webhook,
  });
  const scope = await scopeOf(config, ids, ports);
  const until = options.untilIdle || options.now ? 'idle' : options.watch ? 'interrupted' : 'once';
  const commandLine = commandLineFor(options);
  const print = printer(options, published, until === 'once' ? { commandLine } : {});
  let tickOptions: TickOptions = {
    mode: 'act',
    holder: holderName('run'),
    remaining: () => Number.MAX_SAFE_INTEGER,
    scope,
    ...(options.now && { openUntil: clock.now() + NOW_LASTS }),
  };
  const sayLeft = (tick: Tick | undefined) => sayLeftOn(tick, stateText(options, config.stage), commandLine);
  if (options.now) {
    const { confirmedScope } = await import('../confirm.ts');
    const asking = { options, signal, print, sayLeftOn: sayLeft };
    const confirmed = await confirmedScope(
      config,
      ports,
      { ...tickOptions, interrupted: () => signal.aborted },
      asking,
    );
    if (!confirmed) return;
    tickOptions = { ...tickOptions, scope: confirmed };
  }
  let latest: Tick | undefined;
  let exitCode: number = EXIT.fine;
  let firstBad: Tick | undefined;
  for await (const tick of ticks(config, ports, tickOptions, { every: options.every, until, signal })) {
    print(tick);
    // A watch may last for months: what it has seen is not kept.
    const code = exitCodeOf([tick]);
    exitCode = Math.max(exitCode, code);
    if (code !== EXIT.fine) firstBad ??= tick;
    latest = tick;
  }
  sayLeft(latest);
  process.exitCode = signal.aborted ? EXIT.interrupted : exitCodeOfRun(exitCode, latest);
  if (!signal.aborted) process.stderr.write(earlierFailureText(firstBad, latest));
}

function sayLeftOn(latest: Tick | undefined, state: string, commandLine: CommandLine): void {
  if (latest) process.stderr.write(leftOnLines(latest, state, commandLine).join(''));
}
