import { Command } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { addAudit, addInit } from './add-audit.ts';
import { addKeys } from './add-keys.ts';
import { addRules } from './add-rules.ts';
import { addRun } from './add-run.ts';
import { addHistory, addStatus } from './add-status.ts';
import type { ReportOptions } from './commands/report.ts';
import { type CommonOptions, type PlanOptions, parseInstant, withCommonOptions } from './options.ts';
import { addDemo, addLab } from './own-servers.ts';
import { addDiscover, addPause, addRelease, addResume } from './state-commands.ts';
import { withTlsOptions } from './tls-options.ts';

// Only what the help needs: a command loads what it runs when it runs, so that --help and --version are quick.

export function createProgram(): Command {
  const program = new Command('offpeak')
    .description(
      'Keeps the memory of Redis and Valkey servers tidy. Breaks RSS down, says which action applies and how much it' +
        ' returns, and runs it in a maintenance window, within the latency limit that you set.',
    )
    .version(manifest.version)
    .showHelpAfterError('(npx offpeak --help lists commands and options)')
    .exitOverride()
    .addHelpText('after', EXAMPLES);
  for (const add of [
    addCheck,
    addKeys,
    addAudit,
    addInit,
    addPlan,
    addRun,
    addDiscover,
    addStatus,
    addHistory,
    addPause,
    addResume,
    addRelease,
    addDemo,
    addLab,
    addReport,
    addStack,
    addRules,
  ])
    add(program);
  return program;
}

const EXAMPLES = `
Examples:
  $ npx offpeak demo                                 fragments a Redis of its own and defragments it
  $ npx offpeak lab                                  what does each remedy return? On servers of its own
  $ npx offpeak check redis://127.0.0.1:6379         where does the memory of this server go?
  $ npx offpeak init redis://127.0.0.1:6379 -o config/prod.yml    writes a config for this server
  $ npx offpeak check -c config/prod.yml             where does the memory go? Changes nothing
  $ npx offpeak keys redis://127.0.0.1:6379          which keys take the memory, and what would take less?
  $ npx offpeak audit redis://127.0.0.1:6379         what should be changed on this server?
  $ npx offpeak plan -c config/prod.yml              what would Offpeak do now, and why?
  $ npx offpeak plan -c config/prod.yml --at 2026-11-24T02:30:00+01:00
  $ npx offpeak run -c config/prod.yml               one tick, as the schedule runs it
  $ npx offpeak run -c config/prod.yml --until-idle  ticks until every defrag has ended
  $ npx offpeak run -c config/prod.yml -i sessions --now    an incident: act outside of the window, after a question
  $ npx offpeak discover -c config/prod.yml          which nodes do clusters and sentinels name now?
  $ npx offpeak status -c config/prod.yml            defrags that are on, pauses, last results, next windows
  $ npx offpeak rules -c config/prod.yml > offpeak-rules.yml    for Prometheus; --grafana for a dashboard
  $ npx offpeak pause sessions --for 4h --reason "load test" -c config/prod.yml
  $ STATE_TABLE=… npx offpeak release -c config/prod.yml    stops the defrags of a deployed job

Exit status: 0 fine, 1 a node failed or was unreachable, 2 usage or config, 3 run left a defrag on, 130 interrupted.`;

function addCheck(program: Command): void {
  withTlsOptions(withCommonOptions(program.command('check')))
    .argument('[address...]', 'redis://host:port or rediss://host:port: checks these servers, without a config')
    .summary('check every node and say where its memory goes')
    .description(
      'Checks every node once and breaks its RSS down. Reads only: INFO, CONFIG GET, LATENCY LATEST. Of more than three nodes it' +
        ' prints a table, by the bytes that can be returned. With addresses it needs no config; the password is read from' +
        ' REDISCLI_AUTH, as redis-cli does, or from the address.',
    )
    .option('--full', 'the bars of each node in place of the table')
    .option('--memory-limit <size>', 'the memory limit of these servers, like 6GiB; only beside addresses')
    .action(async (addresses: string[], options: CommonOptions, command: Command) => {
      const isPlaceTyped = ['config', 'state'].some((name) => command.getOptionValueSource(name) === 'cli');
      await (await import('./commands/check.ts')).check(addresses, { ...options, isPlaceTyped });
    });
}

function addPlan(program: Command): void {
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

function addReport(program: Command): void {
  program
    .command('report')
    .argument('[file...]', 'what check, plan, run, audit, keys and lab have printed with --json; without one: stdin')
    .summary('draw what --json has printed as one HTML file')
    .description(
      'One self-contained HTML file: what was done in a night, memory before and after, what is left to do. It loads nothing and' +
        ' sends nothing. With --config it shows when the windows were open, in the zone of the instances.',
    )
    .option('-o, --output <file>', 'where to write it (default: stdout)')
    .option('-c, --config <file>', 'the config whose windows are drawn')
    .option('--stage <name>', 'the stage of the config (default: that of the documents)')
    .action(async (files: string[], options: ReportOptions) =>
      (await import('./commands/report.ts')).report(files, options),
    );
}

/** Their options are those of osls. */
function addStack(program: Command): void {
  const commands = [
    ['package', 'check config/<stage>.yml and write the stack that deploy would make'],
    ['deploy', 'create or change the stack of a stage on AWS'],
    ['remove', 'remove the stack of a stage; refused while its job holds leases'],
  ] as const;
  for (const [command, summary] of commands)
    program
      .command(command)
      .summary(summary)
      .description(
        `Works in a folder that holds config/<stage>.yml, or in a clone: ${summary}. Takes --stage, and the options of osls, like` +
          ' --region, --aws-profile and --param="subnetIds=…". See docs/deploy.md.',
      )
      .argument('[options...]', 'like --stage prod')
      .allowUnknownOption()
      .action(async (_: string[], __: object, { args }: Command) =>
        (await import('./commands/stack.ts')).stack(command, args),
      );
}
