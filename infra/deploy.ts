import { join } from 'node:path';
import { type Built, buildFunctions } from './build.ts';
import { runStackCommand } from './stack-command.ts';

/** `node infra/deploy.ts build|package|deploy|remove [--stage <stage>] [--force] [options of osls]`: the stack of a clone. */
const root = process.cwd();

process.exitCode = await runStackCommand(process.argv.slice(2), {
  root,
  typed: (command, stage) => `npm run ${command} -- --stage ${stage}`,
  prepare: async (config, needs) => {
    if (needs === 'functions') report(await buildFunctions(root, config));
    return root;
  },
  osls: () => join(root, 'node_modules', 'osls', 'bin', 'serverless.js'),
});

function report(built: readonly Built[]): void {
  const kilobytes = (bytes: number) => `${Math.round(bytes / 1000)} KB`;
  for (const { folder, bytes, entryBytes } of built)
    process.stderr.write(`dist/${folder}: ${kilobytes(bytes)}, of which a start loads ${kilobytes(entryBytes)}\n`);
}
