import { randomUUID } from 'node:crypto';
import { type Command, Option } from 'commander';
import { systemClock } from '../../core/adapters/clock.ts';
import type { Config } from '../../core/config/schema.ts';
import { timeText } from '../../core/format/units.ts';
import type { Tick } from '../../core/reconcile/scope.ts';
import { EXIT, exitCodeOf, exitCodeOfRun } from '../exit.ts';
import { interruption } from '../interrupt.ts';
import {
  type CommonOptions,
  durationFrom,
  loadConfig,
  stateStore,
  stateText,
  warnOfClearText,
  withCommonOptions,
} from '../options.ts';
import { printer } from '../output.ts';
import { stderrLog, terminalPorts } from '../ports.ts';
import { leasesOn } from '../render/leases.ts';
import { ticks } from '../watch.ts';

interface RunOptions extends CommonOptions {
  readonly watch?: boolean;
  readonly every: number;
  readonly untilIdle?: boolean;
  readonly publish?: boolean;
}

const EVERY_MS = 5000;

export function addRun(program: Command): void {
  withCommonOptions(program.command('run'))
    .summary('one tick: look, plan, look again, act, verify, tell')
    .description(
      'One tick, exactly as the schedule runs it. A defrag that it starts stays on under a lease until a later tick ends it:' +
        ' use --watch --until-idle to stay with it. One that is left on is said on stderr and in --json (`leases`), and the exit' +
        ' status is 3. When interrupted, leases are given back first.',
    )
    .option('-w, --watch', 'keep ticking until interrupted')
    .addOption(
      new Option('--every <duration>', 'time between two ticks of --watch')
        // Node's timers end at 24.8 days: what is longer comes back after 1 ms, and would hammer the servers.
        .argParser(durationFrom('100ms', '24h', '5s, 500ms, 2m'))
        .default(EVERY_MS, '5s'),
    )
    .option('--until-idle', 'with --watch: until no lease is held and nothing is left to do')
    .option('-p, --publish', 'publish to CloudWatch and SNS (ALERT_TOPIC_ARN, AWS_REGION, AWS_ENDPOINT_URL)')
    .action(run);
}

async function run(options: RunOptions): Promise<void> {
  const { config, scope } = loadConfig(options);
  warnOfClearText(config);
  const { signal } = interruption(() => process.stderr.write('\noffpeak: interrupted: giving back what is held\n'));
  const { ports, told } = terminalPorts(
    stateStore(options, config.stage),
    systemClock({ signal }),
    stderrLog(options),
    { publish: options.publish ? config : undefined },
  );
  const until = options.untilIdle ? 'idle' : options.watch ? 'interrupted' : 'once';
  const print = printer(options, config, told, { isOnly: until === 'once' });
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
  process.stderr.write(leftOnLines(latest, config, stateText(options, config.stage)).join(''));
  process.exitCode = signal.aborted ? EXIT.interrupted : exitCodeOfRun(exitCode, latest);
}

/** Only a tick ends what a run leaves on, so the person who typed it has to know that it is not over. */
function leftOnLines(latest: Tick | undefined, { instances }: Config, state: string): readonly string[] {
  const left = latest === undefined ? [] : leasesOn(latest);
  if (left.length === 0) return [];
  const nodes = left.map(({ instance, node }) => `${instance} ${node}`).join(', ');
  const ends = left.map(({ instance, node, until }) => {
    const timezone = instances.find(({ id }) => id === instance)?.timezone;
    const when = until === undefined ? 'at the first tick that reaches it' : `until ${timeText(until, { timezone })}`;
    return `  ${instance} ${node}: ${when}, if a tick comes; its lease is in ${state}\n`;
  });
  return [
    `offpeak: active defrag is on under a lease (${nodes}); the next tick carries on or ends it. ` +
      '`offpeak run --watch --until-idle` stays with it, `offpeak release` ends it now.\n',
    ...ends,
  ];
}
