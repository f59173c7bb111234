import { type Command, Option } from 'commander';
import { durationFrom, type KeysOptions, numberUpTo, percentFrom, withCommonOptions } from './options.ts';
import { withTlsOptions } from './tls-options.ts';

/** Shares of 1 % are then known to 7 % of themselves (one standard error). */
const SAMPLES = 20_000;
const SAMPLING_MS = 60_000;
const BUDGET = 0.02;

export function addKeys(program: Command): void {
  withTlsOptions(withCommonOptions(program.command('keys')))
    .argument('[address...]', 'redis://host:port or rediss://host:port: samples these servers, without a config')
    .summary('sample the keys: which patterns take how many bytes, and what would take fewer')
    .description(
      'Draws keys at random and says, with a 95 % interval, which patterns of names take how many bytes, and what is lost to' +
        " rounding, small strings, encodings beyond their limits, missing and uneven TTLs. Reads only, within a budget of the server's" +
        ' main thread; of a replication group a replica; and stops at a fork, load, failover or limit. Prints patterns that ten' +
        ' sampled keys or more share, never a name or a value. Ctrl-C prints what was drawn.',
    )
    .addOption(
      new Option('--samples <n>', 'keys to draw on each node').argParser(numberUpTo(1_000_000, true)).default(SAMPLES),
    )
    .addOption(
      new Option('--duration <time>', 'the longest time on each node')
        .argParser(durationFrom('1s', '12h', '30s, 10m'))
        .default(SAMPLING_MS, '1m'),
    )
    .addOption(
      new Option('--budget <percent>', "the share of the server's main thread to use")
        .argParser(percentFrom(0.1, 50))
        .default(BUDGET, '2%'),
    )
    .option(
      '--read-values',
      'also read up to 64 KiB of each sampled string from 1 KiB on, to see what compression would save',
    )
    .action(async (addresses: string[], options: KeysOptions, command: Command) => {
      const isPlaceTyped = ['config', 'state'].some((name) => command.getOptionValueSource(name) === 'cli');
      await (await import('./commands/keys.ts')).keys(addresses, { ...options, isPlaceTyped });
    });
}
