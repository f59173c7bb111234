import { parseArgs } from 'node:util';
import { MIB } from '../functions/shared/config/units.ts';
import { type Cell, measure, medians } from './latency/cell.ts';
import { NOTHING, OWN, offpeak, PURGE, type Variant } from './latency/variants.ts';
import { noteInDocs } from './support/docs.ts';
import { defragServer } from './support/server.ts';
import { type Shape, shapesOf } from './support/shapes.ts';

/**
 * `npm run bench:latency`: the same data, fragmented the same way, under a steady client: what each way of dealing with it returns,
 * and what the client feels. In turns, repeated, by medians; ratios to Redis' own defragger say more than milliseconds do.
 */
const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '500' },
    repeats: { type: 'string', default: '3' },
    shape: { type: 'string', multiple: true, default: ['strings', 'small', 'huge'] },
  },
});
const VARIANTS: readonly Variant[] = [NOTHING, PURGE, OWN, offpeak(2), offpeak(5), offpeak(10)];

const binary = await defragServer();
for (const [name, shape] of shapesOf(values.shape)) {
  const table = await compare(shape);
  process.stdout.write(`\n${table}`);
  noteInDocs(`latency-${name}`, table);
}

async function compare(shape: Shape): Promise<string> {
  const cells = new Map<Variant, Cell[]>(VARIANTS.map((variant) => [variant, []]));
  for (let repeat = 1; repeat <= Number(values.repeats); repeat++) {
    for (const [variant, measured] of cells) {
      const cell = await measure(binary, shape, variant, Number(values.megabytes));
      measured.push(cell);
      process.stderr.write(`${shape.name}, ${variant.name}, ${repeat}: ${JSON.stringify(cell)}\n`);
    }
  }
  const rows = [...cells].map(([variant, measured]) => ({ variant, cell: medians(measured) }));
  const own = rows.find(({ variant }) => variant === OWN)?.cell;
  const idle = rows.find(({ variant }) => variant === NOTHING)?.cell;
  const head = `**${shape.name}**, Redis ${binary.version}, ${values.megabytes} MiB written, ${values.repeats === '1' ? 'one run' : `medians of ${values.repeats} runs`}\n`;
  const columns = [
    '',
    'p50 ms',
    'p99',
    'p99.9',
    'max',
    'p99.9 ÷ (a)',
    'defrag s',
    '÷ (a)',
    'CPU s',
    'RSS returned',
    'share of a restart',
    'beyond idle p99.9',
    'LATENCY',
  ];
  const lines = rows.map(({ variant, cell }) => [variant.name, ...figures(cell, own, idle, variant)]);
  const markdown = [columns, columns.map((_, index) => (index === 0 ? '---' : '--:')), ...lines];
  return `${head}\n${markdown.map((row) => `| ${row.join(' | ')} |`).join('\n')}\n`;
}

function figures(cell: Cell, own: Cell | undefined, idle: Cell | undefined, { maxStall }: Variant): readonly string[] {
  const { p50, p99, p999, max, seconds, cpu, returned, share, worstStall } = cell;
  const ratio = (value: number, to: number | undefined) => (to === undefined ? '' : (value / to).toFixed(2));
  const beyond = idle === undefined || maxStall === undefined ? '' : `${(p999 - idle.p999).toFixed(1)} of ${maxStall}`;
  return [
    p50.toFixed(2),
    p99.toFixed(1),
    p999.toFixed(1),
    max.toFixed(1),
    ratio(p999, own?.p999),
    seconds === 0 ? '' : seconds.toFixed(1),
    seconds === 0 ? '' : ratio(seconds, own?.seconds),
    cpu.toFixed(1),
    `${Math.round(returned / MIB)} MiB`,
    share.toFixed(2),
    beyond,
    worstStall === undefined ? '' : `${worstStall} ms`,
  ];
}
