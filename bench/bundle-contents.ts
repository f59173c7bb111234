import { buildFunctions } from '../infra/build.ts';
import { loadConfig } from '../infra/load.ts';
import { contentsOf } from './contents.ts';
import { table } from './statistics.ts';

/** `npm run bundle:contents [stage]`: which packages each bundle holds, how large, when they are loaded, and for whom. */
const LEAST_BYTES = 2_000;

const kB = (bytes: number) => (bytes === 0 ? '' : (bytes / 1000).toFixed(1));
const [stage = 'dev'] = process.argv.slice(2);
const root = process.cwd();

for (const built of await buildFunctions(root, loadConfig(root, stage))) {
  const all = contentsOf(built);
  const shown = all.filter(({ start, later }) => start + later >= LEAST_BYTES);
  const rest = all.length - shown.length;
  const rows = shown.map(({ name, start, later, because }) => [name, kB(start), kB(later), because]);
  const text = table([['of', 'start kB', 'later kB', '']].concat(rows.map((row) => row.slice(0, 3))));
  const reasons = ['because of', ...shown.map(({ because }) => because)];
  const lines = text.split('\n').map((line, index) => `${line.padEnd(62)}  ${reasons[index]}`);
  process.stdout.write(`\ndist/${built.folder}\n${lines.join('\n')}\nand ${rest} smaller ones\n`);
}
