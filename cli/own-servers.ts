import { Argument, type Command, Option } from 'commander';
import { ARM_NAMES, RECIPE_NAMES } from './lab/trial/arms.ts';
import { type LabOptions, namesOf, numberUpTo } from './options.ts';

// The commands that only use servers that they start themselves.

export function addDemo(program: Command): void {
  program
    .command('demo')
    .summary('fragment a Redis of its own, and defragment it')
    .description(
      'Finds a Redis that can defragment (REDIS_SERVER, the cache, the PATH, npm, or once a build from Debian source, about a' +
        ' minute), starts it on a free loopback port, fragments it, and runs the job on it, tick by tick. Leaves nothing behind.',
    )
    .option('--no-color', 'no colours (NO_COLOR does the same)')
    .action(async (options: { color: boolean }) => (await import('./commands/demo.ts')).runDemo(options));
}

export function addLab(program: Command): void {
  program
    .command('lab')
    .addArgument(
      new Argument('[recipe]', 'how the servers are fragmented; without one: the article, small').choices(RECIPE_NAMES),
    )
    .summary('fragment servers of its own, and show what each remedy returns')
    .description(
      'Starts servers of its own on loopback, fragments each in the same way, does something else to each, and measures what came back:' +
        ' nothing, a purge, activedefrag with its defaults, Offpeak, a restart, jemalloc without its background thread and with a short' +
        ' decay, padded values, values split by size. Never touches a server that it did not start. Leaves nothing behind.',
    )
    .addOption(
      new Option('--arms <names>', `only these, with commas: ${ARM_NAMES.join(', ')}`).argParser(namesOf(ARM_NAMES)),
    )
    .addOption(
      new Option('--scale <share>', "a share of the recipe's size").argParser(numberUpTo(100, false)).default(1),
    )
    .addOption(new Option('--seed <number>', 'other sizes and TTLs').argParser(numberUpTo(1_000_000, true)).default(1))
    .option('--large', 'with compaction: 1 GB in place of 100 MB')
    .option('--server <path>', 'a redis-server or valkey-server that can defragment (REDIS_SERVER does the same)')
    .option('--html <file>', 'also write a page with the pictures and tables; it needs no network')
    .option('--json', 'one JSON document on stdout; see docs/cli-json.md')
    .option('--no-color', 'no colours (NO_COLOR does the same)')
    .action(async (recipe: LabOptions['recipe'], options: Omit<LabOptions, 'recipe'>) =>
      (await import('./commands/lab.ts')).lab({ ...options, recipe }),
    );
}
