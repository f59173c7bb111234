import { PASSWORD_VARIABLE } from '../core/config/environment.ts';
import type { Config } from '../core/config/schema.ts';
import { present } from '../core/domain/present.ts';
import type { StateStore } from '../core/ports/state-store.ts';
import { fleetOf } from './addresses.ts';
import { type CommonOptions, UsageError } from './options.ts';
import { loadConfig, stateStore, warnOfClearText } from './place.ts';
import { TLS_OPTIONS, type TlsOptions } from './tls-options.ts';

/** What a command that only reads is about. */
export interface Subject {
  readonly config: Config;
  /** Of `--instance`, as they were typed; absent: all. */
  readonly ids?: readonly string[] | undefined;
  readonly store: StateStore;
  /** Where `env:` references of the config point. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** There is no config. */
  readonly isAddressed?: true;
}

/** Of a command that takes addresses or a config. */
interface AddressOptions extends CommonOptions, TlsOptions {
  /** As written: the config's rules read it. */
  readonly memoryLimit?: string;
  /** Whether --config or --state was typed, not taken from the environment or the default. */
  readonly isPlaceTyped: boolean;
}

/** Servers of which nothing is stored. @throws {UsageError} */
export function addressed(
  command: string,
  addresses: readonly string[],
  options: Partial<Pick<AddressOptions, 'instance' | 'stage' | 'isPlaceTyped' | 'memoryLimit'>> & TlsOptions,
): Subject {
  const { instance, stage, isPlaceTyped, memoryLimit, cacert: ca, cert, key } = options;
  if (isPlaceTyped || instance || stage)
    throw new UsageError(`${command}: accepted are addresses, or a config with its --stage, --state and --instance`);
  const { config, env, exposed } = fleetOf(addresses, {
    command,
    memoryLimit,
    env: process.env,
    tls: present({ ca, cert, key }),
  });
  for (const node of exposed)
    process.stderr.write(
      `offpeak: warning: the password for ${node} is on the command line, where other users of this machine can read it, and in the shell's history. Set ${PASSWORD_VARIABLE} instead\n`,
    );
  warnOfClearText(config, 'use rediss:// addresses (TLS)');
  return { config, store: NO_STATE, env, isAddressed: true };
}

/** Of a config. @throws {UsageError} */
export function configured(
  command: string,
  options: Parameters<typeof loadConfig>[0] & Partial<AddressOptions>,
): Omit<Subject, 'store'> {
  refuseBesideConfig(command, options);
  const { config, ids } = loadConfig(options);
  warnOfClearText(config);
  return { config, ids, env: process.env };
}

/** The servers of the addresses; where there are none, those of the config, with its state. @throws {UsageError} */
export async function subjectOf(
  command: string,
  addresses: readonly string[],
  options: Parameters<typeof configured>[1] & Parameters<typeof stateStore>[0],
): Promise<Subject> {
  if (addresses.length > 0) return addressed(command, addresses, options);
  const found = configured(command, options);
  return { ...found, store: await stateStore(options, found.config.stage) };
}

/** The options that belong to addresses. @throws {UsageError} where there is a config in their place */
function refuseBesideConfig(command: string, { memoryLimit, ...tls }: Partial<AddressOptions>): void {
  if (memoryLimit !== undefined)
    throw new UsageError(
      `${command} --memory-limit: accepted beside addresses only; a config has memoryLimit for each instance`,
    );
  const typed = TLS_OPTIONS.find((name) => tls[name] !== undefined);
  if (typed)
    throw new UsageError(`${command} --${typed}: accepted beside addresses only; a config has tls for each instance`);
}

/** For what reads and writes nothing. */
export const NO_STATE: StateStore = {
  list: async () => new Map(),
  read: async () => undefined,
  readAll: async () => new Map(),
  write: async () => ({ stored: false }),
  remove: async () => false,
};
