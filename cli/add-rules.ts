import { type Command, InvalidArgumentError, Option } from 'commander';
import { type RulesOptions, withPlaceOptions } from './options.ts';

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
