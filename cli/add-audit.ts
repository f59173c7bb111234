import type { Command } from 'commander';
import { type AuditOptions, type InitOptions, withCommonOptions } from './options.ts';
import { withTlsOptions } from './tls-options.ts';

/** `offpeak audit`. */
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
      const isPlaceTyped = ['config', 'state'].some((name) => command.getOptionValueSource(name) === 'cli');
      await (await import('./commands/audit.ts')).audit(addresses, { ...options, isPlaceTyped });
    });
}

/** `offpeak init`. */
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
