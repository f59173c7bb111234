import type { Command } from 'commander';

/** What TLS takes beside addresses, by the options of redis-cli: paths of files. */
export interface TlsOptions {
  readonly cacert?: string;
  readonly cert?: string;
  readonly key?: string;
}

export const TLS_OPTIONS = ['cacert', 'cert', 'key'] as const satisfies readonly (keyof TlsOptions)[];

/** Of commands that take addresses. */
export function withTlsOptions(command: Command): Command {
  return command
    .option('--cacert <file>', "beside addresses: the PEM of the authority that signed the servers' certificates")
    .option('--cert <file>', 'beside addresses: the PEM of a client certificate, with --key')
    .option('--key <file>', 'beside addresses: the PEM of the key of --cert');
}
