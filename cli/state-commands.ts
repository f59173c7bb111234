import { type Command, InvalidArgumentError, Option } from 'commander';
import { isReason } from '../core/domain/pause.ts';
import {
  durationFrom,
  type PauseOptions,
  type PlaceOptions,
  type ReleaseOptions,
  type StatusOptions,
  withPlaceOptions,
} from './options.ts';

// Commands about the fleet and the state: what is known of them, and the orders of a person that are kept there.

export function addDiscover(program: Command): void {
  withPlaceOptions(program.command('discover'))
    .argument('[instance...]', 'ids of the config; without one: all that have `discover`')
    .summary('which nodes a tick would find now, and what has changed')
    .description(
      'Asks the seeds, the sentinels or AWS, and prints the shards with their nodes, what is left out and why, and what has changed since' +
        ' the last tick. Writes nothing, and connects to no other node. Exit status 1 when a discovery fails.',
    )
    .option('--json', 'one JSON document on stdout; see docs/cli-json.md')
    .action(async (ids: string[], options: StatusOptions) =>
      (await import('./commands/discover.ts')).discover(ids, options),
    );
}

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

export function addPause(program: Command): void {
  withPlaceOptions(program.command('pause'))
    .argument('[instance...]', 'ids of the config; without one: all instances, later ones included')
    .summary('start nothing for a time')
    .description(
      'Keeps every job that shares the state from acting. Nothing is started; the next tick stops what is on and restores its' +
        ' settings. Nodes are still checked, and their metrics published. A second pause replaces the first.',
    )
    .addOption(
      new Option('--for <duration>', 'how long, from 1m to 90d (required)')
        .argParser(durationFrom('1m', '90d', '4h, 90m, 2d'))
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--reason <text>', 'why, for other people: 1 to 200 printable characters (required)')
        .argParser(parseReason)
        .makeOptionMandatory(),
    )
    .action(async (ids: string[], options: PauseOptions) => (await import('./commands/pause.ts')).pause(ids, options));
}

function parseReason(text: string): string {
  if (isReason(text)) return text;
  throw new InvalidArgumentError(
    `${JSON.stringify(text.slice(0, 40))} is not a reason; accepted: 1 to 200 printable characters on one line`,
  );
}

export function addResume(program: Command): void {
  withPlaceOptions(program.command('resume'))
    .argument('[instance...]', 'ids of the config; without one: every pause')
    .summary('end pauses')
    .description('Ends the pauses of these instances, or all pauses. Exit status 1 when one of them is still paused.')
    .action(async (ids: string[], options: PlaceOptions) =>
      (await import('./commands/resume.ts')).resume(ids, options),
    );
}

export function addRelease(program: Command): void {
  withPlaceOptions(program.command('release'))
    .argument('[instance...]', 'ids of the config; without one: every lease')
    .summary("stop Offpeak's defrags and restore settings, now")
    .description(
      'Switches off every active defrag that Offpeak has switched on, restores the settings and deletes the leases: before the' +
        ' stack is removed, or when a defrag has to end now. No purge follows. Exit status 1 when a node could not be restored;' +
        ' then it prints the commands for that server.',
    )
    .option('--no-color', 'no colours (NO_COLOR does the same)')
    .option('-v, --verbose', 'log every outcome on stderr')
    .action(async (ids: string[], options: ReleaseOptions) =>
      (await import('./commands/release.ts')).release(ids, options),
    );
}
