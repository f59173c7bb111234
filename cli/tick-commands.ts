import { type Command, Option } from 'commander';
import {
  durationFrom,
  type PlanOptions,
  parseInstant,
  parseReference,
  type RunOptions,
  UsageError,
  withCommonOptions,
} from './options.ts';

export function addPlan(program: Command): void {
  withCommonOptions(program.command('plan'))
    .summary('what Offpeak would do now, and why')
    .description(
      'Decides as a tick would, and does nothing. Where an action applies it checks the node twice, as a tick does: one' +
        ' second apart before a defrag, 12 s apart before a purge, because some pages leave by themselves. Beyond reading, it' +
        ' asks a server one thing: whether its build can defragment, by a CONFIG SET that cannot succeed. Of more than three nodes it prints a' +
        ' table, what would be done first.',
    )
    .option('--full', 'the bars and reasons of each node in place of the table')
    .option('--at <time>', 'plan for another time, ISO 8601 with a zone; the servers are checked now', parseInstant)
    .action(async (options: PlanOptions) => (await import('./commands/plan.ts')).plan(options));
}

const EVERY_MS = 5000;

export function addRun(program: Command): void {
  withCommonOptions(program.command('run'))
    .summary('one tick: check, plan, check again, act, verify, report')
    .description(
      'One tick, exactly as the schedule runs it. A defrag that it starts stays on until a later tick ends it: --until-idle' +
        ' stays until then. A defrag that is left on is named on stderr and in --json (`leases`), and the exit status is 3.' +
        ' When interrupted, it restores the settings first.',
    )
    .option('-w, --watch', 'go on with a tick every 5 s (see --every) until interrupted')
    .addOption(
      new Option('--every <duration>', 'time between two ticks')
        // Node's timers end at 24.8 days: what is longer comes back after 1 ms, and would hammer the servers.
        .argParser(durationFrom('100ms', '24h', '5s, 500ms, 2m'))
        .default(EVERY_MS, '5s'),
    )
    .option('--until-idle', 'go on until no defrag is on and nothing is left to do')
    .option(
      '--now',
      'for incidents: act outside of the windows; says what it would do, and asks; stays until it is done',
    )
    .option('-y, --yes', 'with --now: do not ask')
    .option('-p, --publish', 'publish to CloudWatch and SNS (ALERT_TOPIC_ARN, AWS_REGION, AWS_ENDPOINT_URL)')
    .option('--webhook <reference>', 'post alerts as JSON to the address kept there, like env:WEBHOOK', parseReference)
    .action(async (options: RunOptions) => {
      if (options.yes && !options.now) throw new UsageError('run --yes: accepted beside --now only');
      await (await import('./commands/run.ts')).run(options);
    });
}
