import { analyzeMetafile } from 'esbuild';
import { buildFunctions } from '../infra/build.ts';
import { loadConfig } from '../infra/load.ts';

/** `npm run bundle:contents [stage]`: which files each piece of a bundle holds, how large, and how they come to be in it. */
const [stage = 'dev'] = process.argv.slice(2);
const root = process.cwd();

for (const { folder, metafile } of await buildFunctions(root, loadConfig(root, stage))) {
  process.stdout.write(`\ndist/${folder}\n${await analyzeMetafile(metafile, { verbose: true })}`);
}
