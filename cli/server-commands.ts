import { type Command, Option } from 'commander';
import {
  type AuditOptions,
  type CommonOptions,
  durationFrom,
  type InitOptions,
  type KeysOptions,
  numberUpTo,
  percentFrom,
  withCommonOptions,
} from './options.ts';
import { withTlsOptions } from './tls-options.ts';

// Commands about servers, which a config or the command line names. They change nothing there.

export function addCheck(program: Command): void {
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
      await (await import('./commands/check.ts')).check(addresses, { ...options, isPlaceTyped: isPlaceTyped(command) });
    });
}

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
      await (await import('./commands/keys.ts')).keys(addresses, { ...options, isPlaceTyped: isPlaceTyped(command) });
    });
}

export function addAudit(program: Command): void {
  withTlsOptions(withCommonOptions(program.command('audit')))
    .argument('[address...]', 'redis://host:port or rediss://host:port: audits these servers, without a config')
    .summary('what should be changed on each node, and in the config')
    .description(
      'Asks every node what docs/audit.md lists, and says what to change: memory, active defrag, allocator, saves, rights, access.' +
        ' With a config also its windows, alarms and notifications. Changes nothing. Exit status 0: nothing is wrong (advice is' +
        ' not); 1: a finding of severity warning or critical, or a node that could not be audited; 2: usage or config.',
    )
    .option('--full', 'every answer, not only findings')
    .option('--junit', "JUnit's XML on stdout, for CI: a case for each rule")
    .option('--memory-limit <size>', 'the memory limit of these servers, like 6GiB; only beside addresses')
    .action(async (addresses: string[], options: AuditOptions, command: Command) => {
      await (await import('./commands/audit.ts')).audit(addresses, { ...options, isPlaceTyped: isPlaceTyped(command) });
    });
}

export function addInit(program: Command): void {
  withTlsOptions(program.command('init'))
    .argument('<address...>', 'redis://host:port or rediss://host:port')
    .summary('write a config for these servers')
    .description(
      'Audits these servers and writes a config for them, with what was seen as comments: a primary and its replicas are one' +
        ' instance. It has no window yet, so that Offpeak only watches until you add one. No password is written: it is read from' +
        ' REDISCLI_AUTH, or from the address. Never overwrites a file.',
    )
    .option('-o, --output <file>', 'the file to write, or - for stdout', 'config/dev.yml')
    .option('--memory-limit <size>', 'the memory limit of these servers, like 6GiB')
    .action(async (addresses: string[], options: InitOptions) =>
      (await import('./commands/init.ts')).init(addresses, options),
    );
}

/** Not taken from the environment or the default. */
function isPlaceTyped(command: Command): boolean {
  return ['config', 'state'].some((name) => command.getOptionValueSource(name) === 'cli');
}
