import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { ConfigError } from '../core/config/problem.ts';
import type { Config } from '../core/config/schema.ts';
import { loadConfig, UnknownStage } from './load.ts';
import { type Removal, removalOf } from './remove.ts';

const COMMANDS = ['build', 'package', 'deploy', 'remove'] as const;
/** Options of this script, which osls does not get. */
const FORCE = '--force';

/** Where a stack is made of. */
interface Workshop {
  /** The folder with `config/`. */
  readonly root: string;
  /** How a command for a stage is typed, in messages. */
  readonly typed: (command: string, stage: string) => string;
  /** Puts the functions in their places, unless the stack is only removed. Returns the folder in which osls finds serverless.yml. */
  readonly prepare: (config: Config, needs: 'functions' | 'no functions') => Promise<string>;
  /** The path of osls' script. Throws `MissingOsls` where it is not installed. */
  readonly osls: () => string;
}

/** osls is not installed. The message says how to install it. */
export class MissingOsls extends Error {
  override readonly name = 'MissingOsls';
}

/**
 * Checks config/<stage>.yml, puts the functions in their places, and passes everything on to osls. `build` and `package` take dev when no
 * stage is named. `remove` refuses while leases are held or cannot be read; `--force` removes anyway.
 *
 * @returns the exit status. 1: refused, or osls has failed; 2: the configuration or the command is wrong
 */
export async function runStackCommand([command = '', ...rest]: readonly string[], workshop: Workshop): Promise<number> {
  if (!COMMANDS.some((known) => known === command)) {
    say(`unknown command ${JSON.stringify(command)}; accepted: ${COMMANDS.join(', ')}`);
    return 2;
  }
  const options = optionsOf(rest);
  // dev is there to be packaged and read. It must not be deployed or removed because a stage was forgotten.
  if (options.stage === undefined && (command === 'deploy' || command === 'remove')) {
    say(`${command} needs a stage: ${workshop.typed(command, 'prod')}`);
    return 2;
  }
  const stage = options.stage ?? 'dev';
  try {
    const config = loadConfig(workshop.root, stage);
    const folder = await workshop.prepare(config, command === 'remove' ? 'no functions' : 'functions');
    if (command === 'build') return 0;
    const runOsls = (args: readonly string[]) => osls(workshop.osls(), folder, args);
    return await (command === 'remove' ? remove(runOsls, stage, rest, options) : runOsls([command, ...rest]));
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof UnknownStage || error instanceof MissingOsls)) throw error;
    say(`${error.message}\nNothing was ${command === 'remove' ? 'removed' : 'packaged'}.`);
    return 2;
  }
}

/** Reads the tables first: without the stack, no tick ends a defrag. */
async function remove(
  runOsls: (args: readonly string[]) => Promise<number>,
  stage: string,
  args: readonly string[],
  options: Options,
): Promise<number> {
  const { region, profile, isForced } = options;
  process.env.AWS_REGION = region;
  if (profile !== undefined) process.env.AWS_PROFILE = profile;
  const removal = await removalOf(stage);
  const refusal = refusalOf(removal, stage);
  if (refusal !== undefined) {
    say(refusal);
    if (!isForced) {
      say('Nothing was removed. To remove it anyway: --force');
      return 1;
    }
    say('Removing anyway: --force');
  }
  const code = await runOsls(['remove', ...args.filter((arg) => arg !== FORCE)]);
  if (code === 0 && removal.kind === 'free') for (const table of removal.tables) say(whatStays(table, region));
  return code;
}

function refusalOf(removal: Removal, stage: string): string | undefined {
  switch (removal.kind) {
    case 'free':
      return undefined;
    case 'leased':
      return [
        `Leases are held in the stage ${stage}. Without the stack, nothing restores the settings of these servers.`,
        ...removal.lines.map((line) => `  ${line}`),
        `First: npx offpeak pause --for 1d --reason "removing the stack" -c config/${stage}.yml`,
        `Then:  npx offpeak release -c config/${stage}.yml   (both with STATE_TABLE: see docs/deploy.md, Removing)`,
      ].join('\n');
    case 'unknown':
      return `The leases of the stage ${stage} cannot be read: ${removal.why}`;
  }
}

function whatStays(table: string, region: string): string {
  const on = `--region ${region} --table-name ${table}`;
  return [
    `The table ${table} stays, with what Offpeak has learned. Deletion protection is on. To delete the table, too:`,
    `  aws dynamodb update-table ${on} --no-deletion-protection-enabled`,
    `  aws dynamodb delete-table ${on}`,
  ].join('\n');
}

type Options = ReturnType<typeof optionsOf>;

/** As osls reads them, which gets the same arguments: region and credentials from its options first (serverless.yml has the same order). */
function optionsOf(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      stage: { ...text, short: 's' },
      region: { ...text, short: 'r' },
      'aws-profile': text,
      force: { type: 'boolean' },
    },
    strict: false,
  });
  const first = (...all: readonly unknown[]) => all.find((one) => typeof one === 'string' && one !== '');
  return {
    stage: typeof values.stage === 'string' ? values.stage : undefined,
    region: `${first(values.region, process.env.AWS_REGION, process.env.AWS_DEFAULT_REGION, 'eu-central-1')}`,
    profile: typeof values['aws-profile'] === 'string' ? values['aws-profile'] : undefined,
    isForced: values.force === true,
  };
}

async function osls(script: string, folder: string, args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [script, ...args], { cwd: folder, stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  return typeof code === 'number' ? code : 1;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
