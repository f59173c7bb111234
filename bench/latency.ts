import { floorText, measure, medians, tablesOf } from './latency/results.ts';
import { NOTHING, OWN, offpeak, PURGE, type Variant } from './latency/variants.ts';
import { bench, inTurns, noteInDocs, runsText } from './support/main.ts';
import { defragServer } from './support/server.ts';
import { shapeOptions } from './support/shapes.ts';

/**
 * `npm run bench:latency`: the same data, fragmented in the same way, under a steady client: how much memory each variant returns, and how
 * long the client waits. In turns, repeated, medians; ratios to Redis' own defragger say more than milliseconds.
 */
const DEFAULTS = { megabytes: '500', repeats: '3', shape: ['strings', 'small', 'huge'] };
const VARIANTS: readonly Variant[] = [NOTHING, PURGE, OWN, offpeak(2), offpeak(5), offpeak(10)];

await bench('latency', async () => {
  const { shapes, megabytes, repeats } = shapeOptions(DEFAULTS);
  const binary = await defragServer();
  for (const [name, shape] of shapes) {
    const cells = await inTurns(shape.name, VARIANTS, repeats, (one) => measure(binary, shape, one, megabytes));
    const rows = cells.map(([variant, measured]) => ({ variant, cell: medians(measured) }));
    const size = shape.isFixed ? '' : ` ${megabytes} MiB written,`;
    const head = `**${shape.name}**, Redis ${binary.version},${size} ${runsText(repeats)}`;
    const text = `${head}; ${floorText(rows.map(({ cell }) => cell))}\n\n${tablesOf(rows)}`;
    process.stdout.write(`\n${text}\n`);
    noteInDocs(`latency-${name}`, text);
  }
});
