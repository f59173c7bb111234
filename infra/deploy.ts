import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ConfigError } from '../functions/shared/config/problem.ts';
import { type Built, buildFunctions } from './build.ts';
import { loadConfig, UnknownStage } from './load.ts';

/**
 * `node infra/deploy.ts build|package|deploy|remove [--stage <stage>] [options of osls]`: checks config/<stage>.yml,
 * bundles the functions, and hands everything on to osls. `build` and `package` take dev when no stage is named.
 * Exit status 2: the configuration or the command is wrong.
 */
const COMMANDS = ['build', 'package', 'deploy', 'remove'] as const;

const [command = '', ...rest] = process.argv.slice(2);
process.exitCode = await run(command, rest);

async function run(command: string, rest: readonly string[]): Promise<number> {
  if (!COMMANDS.some((known) => known === command)) {
    say(`unknown command ${JSON.stringify(command)}; accepted: ${COMMANDS.join(', ')}`);
    return 2;
  }
  const written = stageOf(rest);
  // dev is there to be packaged and looked at: nobody should deploy or remove it for want of a word.
  if (written === undefined && (command === 'deploy' || command === 'remove')) {
    say(`${command} needs the stage: npm run ${command} -- --stage prod`);
    return 2;
  }
  const stage = written ?? 'dev';
  const root = process.cwd();
  try {
    const config = loadConfig(root, stage);
    if (command !== 'remove') report(await buildFunctions(root, config));
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof UnknownStage)) throw error;
    say(`${error.message}\nNothing was packaged.`);
    return 2;
  }
  return command === 'build' ? 0 : osls(root, [command, ...rest]);
}

/** As osls reads it, which gets the same arguments. */
function stageOf(args: readonly string[]): string | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: { stage: { type: 'string', short: 's' } },
    strict: false,
  });
  return typeof values.stage === 'string' ? values.stage : undefined;
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
