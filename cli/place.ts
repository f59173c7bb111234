import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { readConfig } from '../core/adapters/config-file.ts';
import { CLEAR_TEXT_REMEDY, passwordsInClear } from '../core/config/clear-text.ts';
import { ENVIRONMENT } from '../core/config/environment.ts';
import type { Config } from '../core/config/schema.ts';
import type { StateStore } from '../core/ports/state-store.ts';
import { createFileStore } from '../core/state/file/file-store.ts';
import { type CommonOptions, type PlaceOptions, UsageError } from './options.ts';

// Which config, which stage, which state: as the options of a command say it.

/** The config, and the ids of `--instance` as they were typed. @throws {UsageError} {ConfigError} {EnvironmentError} */
export function loadConfig({ config: file, stage, instance }: PlaceOptions & Pick<CommonOptions, 'instance'>): {
  readonly config: Config;
  readonly ids?: readonly string[] | undefined;
} {
  const config = readConfig(file, stage ?? stageOf(file));
  if (stage === undefined) refuseOddStage(file, config.stage);
  return { config, ids: instance };
}

/** `config/prod.yml` is the stage `prod`; of any other name, what could be meant. */
function stageOf(file: string): string {
  const name = plainName(file)
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 20);
  return name || 'local';
}

function plainName(file: string): string {
  return basename(file).replace(/\.[^.]*$/, '');
}

/** As packaging does: `99-prod.yml` would share the state and the metrics of `prod.yml`. A pipe has no name. @throws {UsageError} */
function refuseOddStage(file: string, stage: string): void {
  if (plainName(file) === stage || file.startsWith('/dev/')) return;
  throw new UsageError(
    `the name of ${file} is not that of a stage; accepted: a lower-case letter, then up to 19 letters, digits or hyphens. Rename the file, or name the stage: --stage ${stage}`,
  );
}

const MOST_WARNED = 10;

/** To stderr, before anything is sent: which passwords can be read on the way. Addresses of this machine are exempt. */
export function warnOfClearText(config: Pick<Config, 'instances'>, remedy = CLEAR_TEXT_REMEDY): void {
  const all = passwordsInClear(config);
  if (all.length === 0) return;
  const lines = all.slice(0, MOST_WARNED).map(({ instance, nodes: [first, ...others] }) => {
    const more = others.length === 0 ? '' : ` and ${others.length} more`;
    return `offpeak: warning: ${instance}: the password crosses the network to ${first}${more} unencrypted\n`;
  });
  const rest =
    all.length > MOST_WARNED ? [`offpeak: warning: ${all.length - MOST_WARNED} more instances as well\n`] : [];
  process.stderr.write([...lines, ...rest, `offpeak: ${remedy}\n`].join(''));
}

/** The table of a deployed stage when STATE_TABLE names one, else the state file. @throws {EnvironmentError} {AwsEnvironmentError} */
export async function stateStore(options: Pick<PlaceOptions, 'state' | 'config'>, stage: string): Promise<StateStore> {
  const { state, config } = options;
  if (process.env[ENVIRONMENT.stateTable] !== undefined) return await tableStore(options, stage);
  if (state) return createFileStore(state);
  const store = createFileStore(ownStateFile(config, stage), { adopted: stateFiles(config, stage).json });
  sayEarlierFiles(config, stage);
  return store;
}

/** Loaded when a table is named: the client of DynamoDB is a third of a start. */
async function tableStore({ state, config }: Pick<PlaceOptions, 'state' | 'config'>, stage: string) {
  const { openStateStore } = await import('../core/state/open-store.ts');
  const otherwise = () => ownStateFile(config, stage);
  return openStateStore(process.env, { asked: state, askedBy: '--state (or OFFPEAK_STATE)', otherwise });
}

/**
 * Beside the config file, in whatever folder the command was typed: a lease has to be found again from everywhere. Absolute, links
 * followed: one config file has one state. What 0.1.0 kept in the working folder is used where there is nothing else.
 */
function ownStateFile(config: string, stage: string): string {
  const { file, json, earlier } = stateFiles(config, stage);
  return existsSync(earlier) && !existsSync(file) && !existsSync(json) ? earlier : file;
}

function stateFiles(config: string, stage: string) {
  const here = join(realpathSync('.'), '.offpeak');
  const own = join(folderOf(config) ?? realpathSync('.'), '.offpeak');
  return { file: join(own, `${stage}.db`), json: join(own, `${stage}.json`), earlier: join(here, `${stage}.json`) };
}

/** A pipe (`-c <(…)`) is in no folder. */
function folderOf(config: string): string | undefined {
  try {
    return dirname(realpathSync(config));
  } catch {
    return undefined;
  }
}

function sayEarlierFiles(config: string, stage: string): void {
  const { file, json, earlier } = stateFiles(config, stage);
  for (const left of [...new Set([json, earlier])].filter(existsSync))
    process.stderr.write(
      existsSync(file)
        ? `offpeak: ${left}, from version 0.1.0, is not used: the state is ${file}\n`
        : `offpeak: the state is ${left}, from version 0.1.0. It is found from this folder only; to move it: mkdir -p ${dirname(file)} && mv ${left} ${file}\n`,
    );
}

/** Where the state is, for people: a table, or a file by its whole path. */
export function stateText({ state, config }: Pick<PlaceOptions, 'state' | 'config'>, stage: string): string {
  const table = process.env[ENVIRONMENT.stateTable];
  if (table !== undefined) return `the table ${table}`;
  return state ? resolve(state) : ownStateFile(config, stage);
}

/** To stderr: commands that are meant for the deployed job would reach a file of this machine instead. */
export function remindOfFile(options: Pick<PlaceOptions, 'state' | 'config'>, stage: string): void {
  const { stateTable } = ENVIRONMENT;
  if (options.state || process.env[stateTable] !== undefined) return;
  process.stderr.write(
    `offpeak: this is about runs from this machine (state: ${ownStateFile(options.config, stage)}). For the deployed job, set ${stateTable} to its table\n`,
  );
}
