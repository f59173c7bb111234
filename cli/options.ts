import { type Command, InvalidArgumentError, Option } from 'commander';
import ms, { type StringValue } from 'ms';
import { ACCEPTED_REFERENCES, parseSecretReference, type SecretReference } from '../core/config/address.ts';
import { DURATION } from '../core/config/units.ts';
import type { ArmName, RecipeName } from './lab/trial/arms.ts';
import type { TlsOptions } from './tls-options.ts';

/** Which fleet, and where its state is. */
export interface PlaceOptions {
  readonly config: string;
  readonly stage?: string;
  readonly state?: string;
}

/** What every command that talks to servers takes. */
export interface CommonOptions extends PlaceOptions {
  readonly instance?: readonly string[];
  readonly json?: boolean;
  readonly color: boolean;
  readonly verbose?: boolean;
}

export interface CheckOptions extends CommonOptions, TlsOptions {
  /** As written: the config's rules read it. */
  readonly memoryLimit?: string;
  readonly full?: boolean;
  /** Whether --config or --state was typed, not taken from the environment or the default. */
  readonly isPlaceTyped: boolean;
}

export interface KeysOptions extends CommonOptions, TlsOptions {
  readonly samples: number;
  readonly duration: number;
  /** 0 to 1. */
  readonly budget: number;
  readonly readValues?: boolean;
  readonly isPlaceTyped: boolean;
}

export interface AuditOptions extends CheckOptions {
  readonly junit?: boolean;
}

export interface InitOptions extends TlsOptions {
  /** A path, or `-`. */
  readonly output: string;
  readonly memoryLimit?: string;
  readonly verbose?: boolean;
}

export interface RulesOptions extends PlaceOptions {
  readonly instance?: readonly string[];
  readonly grafana?: boolean;
  readonly label: string;
}

export interface PlanOptions extends CommonOptions {
  readonly at?: number;
  readonly full?: boolean;
}

export interface RunOptions extends CommonOptions {
  readonly watch?: boolean;
  readonly every: number;
  readonly untilIdle?: boolean;
  readonly now?: boolean;
  readonly yes?: boolean;
  readonly publish?: boolean;
  /** Where the address of a webhook is kept. */
  readonly webhook?: SecretReference;
}

export interface PauseOptions extends PlaceOptions {
  readonly for: number;
  readonly reason: string;
}

export interface StatusOptions extends PlaceOptions {
  readonly json?: boolean;
}

export interface ReleaseOptions extends PlaceOptions {
  readonly color: boolean;
  readonly verbose?: boolean;
}

export interface LabOptions {
  readonly recipe: RecipeName | undefined;
  readonly arms?: readonly ArmName[];
  readonly scale: number;
  readonly seed: number;
  readonly large?: boolean;
  readonly server?: string;
  readonly html?: string;
  readonly json?: boolean;
  readonly color: boolean;
}

/** The command line itself is wrong: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export function withPlaceOptions(command: Command): Command {
  return command
    .addOption(new Option('-c, --config <file>', 'the config file').env('OFFPEAK_CONFIG').default('config/dev.yml'))
    .option('--stage <name>', 'the stage in metrics and alerts (default: the name of the config file)')
    .addOption(
      new Option(
        '-s, --state <file>',
        'the file with leases, pauses and node histories (default: the table in STATE_TABLE, or .offpeak/<stage>.db' +
          ' beside the config file)',
      ).env('OFFPEAK_STATE'),
    );
}

export function withCommonOptions(command: Command): Command {
  return withPlaceOptions(command)
    .option('-i, --instance <id...>', 'only these instances of the config')
    .option('--json', 'one JSON document for each tick, on one line of stdout; see docs/cli-json.md')
    .option('--no-color', 'no colours (NO_COLOR does the same)')
    .option('-v, --verbose', 'log every outcome on stderr');
}

/** A parser for an option that is a duration from `min` to `max`, in milliseconds. */
export function durationFrom(min: StringValue, max: StringValue, like: string): (text: string) => number {
  return (text) => {
    const value = new RegExp(DURATION).test(text) && text.length < 20 ? ms(text as StringValue) : Number.NaN;
    if (value >= ms(min) && value <= ms(max)) return value;
    throw new InvalidArgumentError(`"${text}" is not a duration from ${min} to ${max}; accepted: ${like}, …`);
  };
}

/** A parser for a number above 0, up to `most`. */
export function numberUpTo(most: number, isWhole: boolean): (text: string) => number {
  return (text) => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    if (value > 0 && value <= most && (!isWhole || Number.isInteger(value))) return value;
    const kind = isWhole ? 'a whole number' : 'a number';
    throw new InvalidArgumentError(`"${text}" is not accepted; accepted: ${kind} above 0, up to ${most}`);
  };
}

/** A parser for names with commas between them, each of which is one of `all`. */
export function namesOf<T extends string>(all: readonly T[]): (text: string) => readonly T[] {
  return (text) =>
    text.split(',').map((name) => {
      const known = all.find((one) => one === name.trim());
      if (known) return known;
      throw new InvalidArgumentError(`"${name}" is not one of them; accepted: ${all.join(', ')}`);
    });
}

/** A parser for an option that is a percentage, with or without its sign; the result is a share, 0 to 1. */
export function percentFrom(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(/^(\d{1,3}(?:\.\d{1,6})?) ?%?$/.exec(text)?.[1] ?? Number.NaN);
    if (value >= min && value <= max) return value / 100;
    throw new InvalidArgumentError(`"${text}" is not accepted; accepted: a percentage from ${min}% to ${max}%`);
  };
}

const ISO_INSTANT = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

export function parseInstant(text: string): number {
  const day = ISO_INSTANT.exec(text)?.[1];
  const instant = day === undefined || !isDay(day) ? Number.NaN : Date.parse(text);
  if (Number.isNaN(instant)) {
    throw new InvalidArgumentError(
      `"${text}" is not a time with a zone; accepted: 2026-11-24T02:30:00Z, 2026-11-24T02:30+01:00, …`,
    );
  }
  return instant;
}

/** Date.parse takes the 31st of February for the 3rd of March. */
function isDay(day: string): boolean {
  const at = Date.parse(`${day}T00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(day);
}

/** It is a secret, which neither the shell's history nor the list of processes may hold; and Commander would quote what it refuses. */
export function parseReference(text: string): SecretReference {
  const reference = parseSecretReference(text);
  if (reference === undefined)
    throw new UsageError(`run --webhook: (hidden) is not a reference; accepted: ${ACCEPTED_REFERENCES}`);
  return reference;
}
