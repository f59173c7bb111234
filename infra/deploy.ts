import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ConfigError } from '../core/config/problem.ts';
import { type Built, buildFunctions } from './build.ts';
import { loadConfig, UnknownStage } from './load.ts';
import { type Removal, removalOf } from './remove.ts';

/**
 * `node infra/deploy.ts build|package|deploy|remove [--stage <stage>] [--force] [options of osls]`: checks config/<stage>.yml,
 * bundles the functions, and passes everything on to osls. `build` and `package` take dev when no stage is named. `remove` refuses
 * while leases are held or cannot be read; `--force` removes anyway.
 * Exit status 1: refused, or osls has failed; 2: the configuration or the command is wrong.
 */
const COMMANDS = ['build', 'package', 'deploy', 'remove'] as const;
/** Options of this script, which osls does not get. */
const FORCE = '--force';

const [command = '', ...rest] = process.argv.slice(2);
process.exitCode = await run(command, rest);

async function run(command: string, rest: readonly string[]): Promise<number> {
  if (!COMMANDS.some((known) => known === command)) {
    say(`unknown command ${JSON.stringify(command)}; accepted: ${COMMANDS.join(', ')}`);
    return 2;
  }
  const options = optionsOf(rest);
  // dev is there to be packaged and read. It must not be deployed or removed because a stage was forgotten.
  if (options.stage === undefined && (command === 'deploy' || command === 'remove')) {
    say(`${command} needs a stage: npm run ${command} -- --stage prod`);
    return 2;
  }
  const stage = options.stage ?? 'dev';
  const root = process.cwd();
  try {
    const config = loadConfig(root, stage);
    if (command !== 'remove') report(await buildFunctions(root, config));
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof UnknownStage)) throw error;
    say(`${error.message}\nNothing was packaged.`);
    return 2;
  }
  if (command === 'build') return 0;
  return command === 'remove' ? remove(root, stage, rest, options) : osls(root, [command, ...rest]);
}

/** Reads the tables first: without the stack, no tick ends a defrag. */
async function remove(root: string, stage: string, args: readonly string[], options: Options): Promise<number> {
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
  const code = await osls(root, ['remove', ...args.filter((arg) => arg !== FORCE)]);
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

async function osls(root: string, args: readonly string[]): Promise<number> {
  const script = join(root, 'node_modules', 'osls', 'bin', 'serverless.js');
  const child = spawn(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  return typeof code === 'number' ? code : 1;
}

function report(built: readonly Built[]): void {
  const kilobytes = (bytes: number) => `${Math.round(bytes / 1000)} KB`;
  for (const { folder, bytes, entryBytes } of built) {
    say(`dist/${folder}: ${kilobytes(bytes)}, of which a start loads ${kilobytes(entryBytes)}`);
  }
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
