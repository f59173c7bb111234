import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import type { ServerBinary } from '../cli/lab/binary.ts';
import { type Night, nightOf } from './prediction/night.ts';
import { intervalRows, singleRows } from './prediction/tables.ts';
import { noteInDocs } from './support/docs.ts';
import { bench, countOf } from './support/main.ts';
import { runOffpeak, stateFolder } from './support/offpeak.ts';
import { defragServer, prepared } from './support/server.ts';
import { type Shape, shapesOf } from './support/shapes.ts';

/**
 * `npm run bench:prediction`: predictions and results side by side, for shapes of data that fragment in different ways; first with nothing known of
 * the node, then with what the first run has taught.
 */
const ALL = ['strings', 'small', 'hashes', 'sorted-sets', 'grown', 'large'];
const OPTIONS = {
  megabytes: { type: 'string', default: '300' },
  repeats: { type: 'string', default: '1' },
  shape: { type: 'string', multiple: true, default: ALL },
} satisfies ParseArgsOptionsConfig;
/** The default. */
const MAX_STALL = 5;

await bench('prediction', async () => {
  const { values } = parseArgs({ options: OPTIONS });
  const [megabytes, repeats] = [countOf('--megabytes', values.megabytes), countOf('--repeats', values.repeats)];
  const shapes = shapesOf(values.shape);
  const binary = await defragServer();
  const nights: Night[] = [];
  for (let repeat = 1; repeat <= repeats; repeat++) {
    for (const [, shape] of shapes) {
      for await (const night of twoNights(binary, shape, megabytes)) {
        process.stderr.write(`${repeat}: ${JSON.stringify(night)}\n`);
        nights.push(night);
      }
    }
  }
  const runs = repeats === 1 ? 'one run each' : `medians of ${repeats} runs [lowest to highest]`;
  const head = `Redis ${binary.version}, ${megabytes} MiB written, ${runs}`;
  const text = `${head}\n\n${singleRows(nights, repeats)}\n\n${intervalRows(nights)}`;
  process.stdout.write(`\n${text}\n`);
  if (values.shape === ALL) noteInDocs('prediction', text);
});

async function* twoNights(binary: ServerBinary, shape: Shape, megabytes: number): AsyncGenerator<Night> {
  await using folder = await stateFolder();
  let port: number | undefined;
  for (const [night, run] of ['first', 'second'].entries()) {
    // Another server at the same address: what was learned of the node stays.
    await using ready = await prepared(binary, shape, megabytes, port);
    port = ready.server.port;
    const outcomes = await runOffpeak(port, { maxStall: MAX_STALL, night }, folder.path);
    yield nightOf(shape.name, run, outcomes);
  }
}
