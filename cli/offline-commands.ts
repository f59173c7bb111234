import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ReportOptions } from './commands/report.ts';
import { type RulesOptions, withPlaceOptions } from './options.ts';

// Commands that ask no server.

export function addReport(program: Command): void {
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

/** As redis_exporter's documentation sets it up for several targets. */
const LABEL = 'instance';

export function addRules(program: Command): void {
  withPlaceOptions(program.command('rules'))
    .summary('alerting rules for Prometheus, or a dashboard for Grafana')
    .description(
      'Prints the thresholds of the config as alerting rules on the metrics of redis_exporter (YAML), or with --grafana a dashboard' +
        ' (JSON). Asks no server.',
    )
    .option('-i, --instance <id...>', 'only these instances of the config')
    .option('--grafana', 'a dashboard in place of the rules')
    .addOption(
      new Option(
        '--label <name>',
        'the label of redis_exporter’s metrics that names a node, like host:port or redis://host:port',
      )
        .argParser(parseLabel)
        .default(LABEL),
    )
    .action(async (options: RulesOptions) => (await import('./commands/rules.ts')).rules(options));
}

/** Of the data model of Prometheus; those that begin with two underscores are its own. */
function parseLabel(text: string): string {
  if (/^(?!__)[a-zA-Z_][a-zA-Z0-9_]{0,99}$/.test(text)) return text;
  throw new InvalidArgumentError(`"${text}" is not a label; accepted: letters, digits and underscores, like instance`);
}

/** Their options are those of osls. */
export function addStack(program: Command): void {
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
