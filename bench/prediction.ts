import type { ServerBinary } from '../cli/lab/binary.ts';
import type { Shape } from '../cli/lab/shapes.ts';
import { intervalRows, type Night, nightOf, singleRows } from './prediction/night.ts';
import { bench, noteInDocs, runsText } from './support/main.ts';
import { runOffpeak, stateFolder } from './support/offpeak.ts';
import { defragServer, prepared } from './support/server.ts';
import { shapeOptions } from './support/shapes.ts';

/**
 * `npm run bench:prediction`: predictions and results side by side, for shapes of data that fragment in different ways; first with nothing known of
 * the node, then with what the first run has taught.
 */
const ALL = ['strings', 'small', 'hashes', 'sorted-sets', 'grown', 'large'];
const DEFAULTS = { megabytes: '300', repeats: '1', shape: ALL };
/** The default. */
const MAX_STALL = 5;

await bench('prediction', async () => {
  const { megabytes, repeats, shapes, isWhole } = shapeOptions(DEFAULTS);
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
  const runs = `${runsText(repeats)}${repeats === 1 ? '' : ' [lowest to highest]'}`;
  const head = `Redis ${binary.version}, ${megabytes} MiB written, ${runs}`;
  const text = `${head}\n\n${singleRows(nights, repeats)}\n\n${intervalRows(nights)}`;
  process.stdout.write(`\n${text}\n`);
  if (isWhole) noteInDocs('prediction', text);
});

async function* twoNights(binary: ServerBinary, shape: Shape, megabytes: number): AsyncGenerator<Night> {
  await using folder = await stateFolder();
  let port: number | undefined;
  for (const [night, run] of ['first', 'second'].entries()) {
    // Another server at the same address: what was learned of the node stays.
    await using ready = await prepared(binary, (redis) => shape.build(redis, megabytes), port ? { port } : {});
    port = ready.server.port;
    const outcomes = await runOffpeak(port, { maxStall: MAX_STALL, night }, folder.path);
    yield nightOf(shape.name, run, outcomes);
  }
}
