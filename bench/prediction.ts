import { parseArgs } from 'node:util';
import type { Outcome } from '../functions/maintain/decide/outcome.ts';
import type { Verdict } from '../functions/maintain/decide/verify.ts';
import { MIB } from '../functions/shared/config/units.ts';
import { noteInDocs } from './support/docs.ts';
import { runOffpeak, stateFolder } from './support/offpeak.ts';
import { defragServer, prepared } from './support/server.ts';
import { shapesOf } from './support/shapes.ts';

/**
 * `npm run bench:prediction`: what the plan said, beside what came of it, for shapes of data that fragment in different ways; with
 * nothing known of the node, and once more with what the first run has taught.
 */
const ALL = ['strings', 'small', 'hashes', 'sorted-sets', 'grown', 'large'];
const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '300' },
    shape: { type: 'string', multiple: true, default: ALL },
  },
});
/** Wide enough for the run to go on whatever the machine does to the tail. */
const MAX_STALL = 20;

const binary = await defragServer();
const rows: string[][] = [
  ['data', 'run', 'cure', 'predicted', 'returned', 'returned ÷ predicted', 'predicted ms', 'measured ms'],
];
for (const [, shape] of shapesOf(values.shape)) {
  await using folder = await stateFolder();
  let port: number | undefined;
  for (const [night, run] of ['first', 'second'].entries()) {
    // Another server at the same address: what was learned of the node stays.
    await using ready = await prepared(binary, shape, Number(values.megabytes), port);
    port = ready.server.port;
    const outcomes = await runOffpeak(port, { maxStall: MAX_STALL, night }, folder.path);
    const verdicts = outcomes.flatMap(resultOf);
    if (verdicts.length === 0) rows.push([shape.name, run, `none: ${reasonsOf(outcomes)}`, '', '', '', '', '']);
    for (const row of verdicts) rows.push([shape.name, run, ...row]);
    process.stderr.write(
      `${rows
        .slice(-Math.max(1, verdicts.length))
        .map((row) => row.join(' | '))
        .join('\n')}\n`,
    );
  }
}
const [head = [], ...lines] = rows;
const markdown = [head, head.map((_, index) => (index < 3 ? '---' : '--:')), ...lines]
  .map((row) => `| ${row.join(' | ')} |`)
  .join('\n');
const text = `Redis ${binary.version}, ${values.megabytes} MiB written, one run each\n\n${markdown}`;
process.stdout.write(`\n${text}\n`);
if (values.shape === ALL) noteInDocs('prediction', text);

function resultOf({ verdict, plan }: Outcome): string[][] {
  return verdict === undefined ? [] : [figures(verdict, plan?.kind === 'act' ? plan.predicted.stall : undefined)];
}

function figures({ cure, predicted, reclaimed, share, stall }: Verdict, planned: number | undefined): string[] {
  return [
    cure,
    `${(predicted / MIB).toFixed(0)} MiB`,
    `${(reclaimed / MIB).toFixed(0)} MiB`,
    share === undefined ? '' : share.toFixed(2),
    planned === undefined ? '' : planned.toFixed(1),
    stall.toFixed(1),
  ];
}

function reasonsOf(outcomes: readonly Outcome[]): string {
  const reasons = outcomes.map(({ plan }) => (plan?.kind === 'skip' ? plan.reason : (plan?.reason ?? 'no plan')));
  return [...new Set(reasons)].join(', ');
}
