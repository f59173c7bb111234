import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import type { ServerBinary } from '../cli/lab/binary.ts';
import { type Cell, measure, medians } from './latency/cell.ts';
import { floorText, tablesOf } from './latency/tables.ts';
import { NOTHING, OWN, offpeak, PURGE, type Variant } from './latency/variants.ts';
import { noteInDocs } from './support/docs.ts';
import { bench, countOf } from './support/main.ts';
import { defragServer } from './support/server.ts';
import { type Shape, shapesOf } from './support/shapes.ts';

/**
 * `npm run bench:latency`: the same data, fragmented in the same way, under a steady client: how much memory each variant returns, and how
 * long the client waits. In turns, repeated, medians; ratios to Redis' own defragger say more than milliseconds.
 */
const OPTIONS = {
  megabytes: { type: 'string', default: '500' },
  repeats: { type: 'string', default: '3' },
  shape: { type: 'string', multiple: true, default: ['strings', 'small', 'huge'] },
} satisfies ParseArgsOptionsConfig;
const VARIANTS: readonly Variant[] = [NOTHING, PURGE, OWN, offpeak(2), offpeak(5), offpeak(10)];

await bench('latency', async () => {
  const { values } = parseArgs({ options: OPTIONS });
  const sizes = {
    megabytes: countOf('--megabytes', values.megabytes),
    repeats: countOf('--repeats', values.repeats),
  };
  const shapes = shapesOf(values.shape);
  const binary = await defragServer();
  for (const [name, shape] of shapes) {
    const text = await compare(binary, shape, sizes);
    process.stdout.write(`\n${text}\n`);
    noteInDocs(`latency-${name}`, text);
  }
});

interface Sizes {
  readonly megabytes: number;
  readonly repeats: number;
}

async function compare(binary: ServerBinary, shape: Shape, { megabytes, repeats }: Sizes): Promise<string> {
  const cells = new Map<Variant, Cell[]>(VARIANTS.map((variant) => [variant, []]));
  for (let repeat = 1; repeat <= repeats; repeat++) {
    for (const [variant, measured] of cells) {
      const cell = await measure(binary, shape, variant, megabytes);
      measured.push(cell);
      process.stderr.write(`${shape.name}, ${variant.name}, ${repeat}: ${JSON.stringify(cell)}\n`);
    }
  }
  const rows = [...cells].map(([variant, measured]) => ({ variant, cell: medians(measured) }));
  const runs = repeats === 1 ? 'one run each' : `medians of ${repeats} runs`;
  const size = shape.isFixed ? '' : ` ${megabytes} MiB written,`;
  return `**${shape.name}**, Redis ${binary.version},${size} ${runs}; ${floorText(rows.map(({ cell }) => cell))}\n\n${tablesOf(rows)}`;
}
