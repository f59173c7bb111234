import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import ms, { type StringValue } from 'ms';
import { Temporal } from 'temporal-polyfill';
import { readConfig } from '../core/adapters/config-file.ts';
import { CLEAR_TEXT_REMEDY, passwordsInClear } from '../core/config/clear-text.ts';
import { ENVIRONMENT } from '../core/config/environment.ts';
import type { Config, InstanceConfig } from '../core/config/schema.ts';
import { DURATION } from '../core/config/units.ts';
import type { StateStore } from '../core/ports/state-store.ts';
import { type Scope, WHOLE_FLEET } from '../core/reconcile/scope.ts';
import { openStateStore } from '../core/state/open-store.ts';

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
        'where leases, pauses and what was learned are kept (default: .offpeak/<stage>.json beside the config file, or the table' +
          ' in STATE_TABLE)',
      ).env('OFFPEAK_STATE'),
    );
}

export function withCommonOptions(command: Command): Command {
  return withPlaceOptions(command)
    .option('-i, --instance <id...>', 'only these instances of the config')
    .option('--json', 'one JSON document a tick, on one line of stdout')
    .option('--no-color', 'no colours (NO_COLOR does the same)')
    .option('-v, --verbose', 'log every outcome on stderr');
}

/** @throws {UsageError} {ConfigError} {EnvironmentError} */
export function loadConfig({ config: file, stage, instance }: PlaceOptions & Pick<CommonOptions, 'instance'>): {
  readonly config: Config;
  readonly scope: Scope;
} {
  const config = readConfig(file, stage ?? stageOf(file));
  if (instance === undefined) return { config, scope: WHOLE_FLEET };
  const chosen = chosenInstances(config, instance, '--instance');
  const nodes = chosen.flatMap(({ id, nodes }) => nodes.map((node) => ({ instance: id, node: node.id })));
  return { config, scope: { kind: 'nodes', nodes } };
}

const MOST_WARNED = 10;

/** To stderr, before anything is sent: which passwords everybody on the way can read. Addresses of this machine are exempt. */
export function warnOfClearText(config: Pick<Config, 'instances'>): void {
  const all = passwordsInClear(config);
  if (all.length === 0) return;
  const lines = all.slice(0, MOST_WARNED).map(({ instance, nodes: [first, ...others] }) => {
    const more = others.length === 0 ? '' : ` and ${others.length} more`;
    return `offpeak: warning: ${instance}: the password crosses the network to ${first}${more} unencrypted\n`;
  });
  const rest =
    all.length > MOST_WARNED ? [`offpeak: warning: ${all.length - MOST_WARNED} more instances as well\n`] : [];
  process.stderr.write([...lines, ...rest, `offpeak: ${CLEAR_TEXT_REMEDY}\n`].join(''));
}

/** The table of a deployed stage when STATE_TABLE names one, else the state file. @throws {EnvironmentError} {AwsEnvironmentError} */
export function stateStore(options: Pick<PlaceOptions, 'state' | 'config'>, stage: string): StateStore {
  if (!options.state && process.env[ENVIRONMENT.stateTable] === undefined) tellOfEarlierFile(options.config, stage);
  return openStateStore(process.env, {
    asked: options.state,
    askedBy: '--state (or OFFPEAK_STATE)',
    otherwise: () => ownStateFile(options.config, stage),
  });
}

/**
 * Beside the config file, whatever folder the command was typed in: a lease has to be found again from everywhere. Absolute, links
 * followed: one config file has one state. What 0.1.0 kept in the folder that it was typed in is used where there is nothing else.
 */
function ownStateFile(config: string, stage: string): string {
  const { file, earlier } = stateFiles(config, stage);
  return existsSync(earlier) && !existsSync(file) ? earlier : file;
}

function stateFiles(config: string, stage: string) {
  const name = join('.offpeak', `${stage}.json`);
  const here = realpathSync('.');
  return { file: join(folderOf(config) ?? here, name), earlier: join(here, name) };
}

/** A pipe (`-c <(…)`) is in no folder. */
function folderOf(config: string): string | undefined {
  try {
    return dirname(realpathSync(config));
  } catch {
    return undefined;
  }
}

function tellOfEarlierFile(config: string, stage: string): void {
  const { file, earlier } = stateFiles(config, stage);
  if (file === earlier || !existsSync(earlier)) return;
  process.stderr.write(
    existsSync(file)
      ? `offpeak: ${earlier}, from version 0.1.0, is not used: the state is ${file}\n`
      : `offpeak: the state is ${earlier}, from version 0.1.0, found from this folder only; for all: mkdir -p ${dirname(file)} && mv ${earlier} ${file}\n`,
  );
}

/** Where the state is, for people: a table, or a file by its whole path. */
export function stateText({ state, config }: Pick<PlaceOptions, 'state' | 'config'>, stage: string): string {
  const table = process.env[ENVIRONMENT.stateTable];
  if (table !== undefined) return `the table ${table}`;
  return state ? resolve(state) : ownStateFile(config, stage);
}

/**
 * To stderr, where commands that are meant for the deployed job would reach a file of this machine instead: whoever is in a hurry must
 * not believe that it was paused.
 */
export function remindOfFile(options: Pick<PlaceOptions, 'state' | 'config'>, stage: string): void {
  const { stateTable } = ENVIRONMENT;
  if (options.state || process.env[stateTable] !== undefined) return;
  const file = ownStateFile(options.config, stage);
  const here = relative(realpathSync('.'), file);
  process.stderr.write(
    `offpeak: this is about runs from here, whose state is in ${here.startsWith('..') ? file : here}; for the deployed job set ${stateTable} to its table\n`,
  );
}

/** In the order of the config. @throws {UsageError} naming those that it does not have, and `where` they were written. */
export function chosenInstances(
  { instances }: Config,
  ids: readonly string[],
  where: string,
): readonly InstanceConfig[] {
  const unknown = ids.filter((id) => !instances.some((instance) => instance.id === id));
  if (unknown.length > 0) {
    const accepted = instances.map(({ id }) => id).join(', ');
    throw new UsageError(`${where} ${unknown.join(' ')}: no such instance in the config; accepted: ${accepted}`);
  }
  return instances.filter(({ id }) => ids.includes(id));
}

/** `config/prod.yml` is the stage `prod`; whatever else a file is called still makes a legal name. */
function stageOf(file: string): string {
  const name = basename(file)
    .replace(/\.[^.]*$/, '')
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 20);
  return name || 'local';
}

/** A parser for an option that is a duration from `min` to `max`, in milliseconds. */
export function durationFrom(min: StringValue, max: StringValue, like: string): (text: string) => number {
  return (text) => {
    const value = new RegExp(DURATION).test(text) && text.length < 20 ? ms(text as StringValue) : Number.NaN;
    if (value >= ms(min) && value <= ms(max)) return value;
    throw new InvalidArgumentError(`"${text}" is not a duration from ${min} to ${max}; accepted: ${like}, …`);
  };
}

const ISO_INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

export function parseInstant(text: string): number {
  const instant = ISO_INSTANT.test(text) ? instantOf(text) : undefined;
  if (instant === undefined) {
    throw new InvalidArgumentError(
      `"${text}" is not a time with a zone; accepted: 2026-11-24T02:30:00Z, 2026-11-24T02:30+01:00, …`,
    );
  }
  return instant;
}

/** Not Date.parse, which takes the 31st of February for the 3rd of March. */
function instantOf(text: string): number | undefined {
  try {
    return Temporal.Instant.from(text).epochMilliseconds;
  } catch {
    return undefined;
  }
}
