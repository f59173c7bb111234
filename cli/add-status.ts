import type { Command } from 'commander';
import { type StatusOptions, withPlaceOptions } from './options.ts';

export function addStatus(program: Command): void {
  withPlaceOptions(program.command('status'))
    .summary('defrags that are on, pauses, last results, next windows')
    .description(
      'Reads the state and the config, and no server. Exit status 1 when a document of the state cannot be read: nothing is started' +
        ' there. With STATE_TABLE it is the state of the deployed job.',
    )
    .option('--json', 'one JSON document on stdout; see docs/cli-json.md')
    .action(async (options: StatusOptions) => (await import('./commands/status.ts')).status(options));
}

export function addHistory(program: Command): void {
  withPlaceOptions(program.command('history'))
    .argument('[instance...]', 'ids of the config; without one: all')
    .summary('what was done on each node, and what it returned')
    .description(
      'The latest ten purges and ten defrags of each node, with predicted and returned bytes, the newest first.',
    )
    .option('--json', 'one JSON document on stdout; see docs/cli-json.md')
    .action(async (ids: string[], options: StatusOptions) =>
      (await import('./commands/status.ts')).history(ids, options),
    );
}
