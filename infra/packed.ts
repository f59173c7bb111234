import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import manifest from '../package.json' with { type: 'json' };
import { writePackagedConfig } from './functions.ts';
import { MissingOsls, runStackCommand } from './stack-command.ts';

/**
 * The same commands in the npm package, for a folder that holds only `config/`: the functions are bundled already, and everything that osls
 * writes stays in `.offpeak/stack/<stage>`.
 */
const root = process.cwd();
const here = import.meta.dirname;

process.exitCode = await runStackCommand(process.argv.slice(2), {
  root,
  typed: (command, stage) => `npx offpeak ${command} --stage ${stage}`,
  prepare: async (config) => {
    const folder = join(root, '.offpeak', 'stack', config.stage);
    // What an earlier version has left is not packaged.
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const part of ['serverless.yml', 'infra', 'dist'])
      cpSync(join(here, part), join(folder, part), { recursive: true });
    cpSync(join(root, 'config', `${config.stage}.yml`), join(folder, 'config', `${config.stage}.yml`));
    writePackagedConfig(folder, config);
    return folder;
  },
  osls: () => {
    const script = join(root, 'node_modules', 'osls', 'bin', 'serverless.js');
    if (existsSync(script)) return script;
    try {
      return createRequire(import.meta.url).resolve('osls/bin/serverless.js');
    } catch {
      throw new MissingOsls(
        `osls, which makes the stack, is not installed here: npm install --save-dev osls@${manifest.devDependencies.osls}`,
      );
    }
  },
});
