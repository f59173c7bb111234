import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { clientOf } from '../cli/lab/client.ts';
import { startServer } from '../cli/lab/start.ts';
import type { Estimate } from '../core/domain/keys.ts';
import { bytesText, countText, durationText, percentText } from '../core/format/units.ts';
import { PLANTS, plant } from './keys/plants.ts';
import { type Truth, truths } from './keys/truth.ts';
import { fixed, markdownTable, median } from './statistics.ts';
import { type Latencies, latenciesIn } from './support/latencies.ts';
import { bench, countOf, inTurns, noteInDocs, realtime, runsText } from './support/main.ts';
import { probed } from './support/probing.ts';
import { defragServer, PROBE } from './support/server.ts';

/**
 * `npm run bench:keys`: a server of 5 million keys with planted patterns; what a client of 1000 requests a second feels while `offpeak keys`
 * samples it, and while nothing does, in turns; then what each finding is really about, by doing what it advises to every key.
 */
const run = promisify(execFile);
const OFFPEAK = join(import.meta.dirname, '../cli/offpeak.js');

interface Sampled {
  readonly drawn: number;
  readonly cost: { readonly took: number; readonly busy: number; readonly share: number };
  readonly findings: readonly { readonly kind: string; readonly pattern: string; readonly bytes: Estimate }[];
}

interface Cell extends Latencies {
  readonly sampled?: Sampled;
}

/** So long each turn takes without sampling: about as long as with it. */
const IDLE_MS = 30_000;

await bench('keys', async () => {
  const { values } = parseArgs({
    options: { keys: { type: 'string', default: '5000000' }, repeats: { type: 'string', default: '3' } },
  });
  const [keys, repeats] = [countOf('--keys', values.keys), countOf('--repeats', values.repeats)];
  const binary = await defragServer();
  await using server = await startServer(binary);
  const redis = clientOf(server);
  process.stderr.write(`planting ${countText(keys)} keys …\n`);
  await plant(redis, keys);
  await redis.set(PROBE, 'x'.repeat(100));
  await ahead(server.pid);
  const turns = await inTurns(
    'keys',
    [
      { name: 'nothing', work: () => wait(IDLE_MS).then(() => undefined) },
      { name: 'offpeak keys', work: () => sample(server.port, []) },
      { name: 'offpeak keys --read-values', work: () => sample(server.port, ['--read-values']) },
    ],
    repeats,
    ({ work }) => measure(server.port, work),
  );
  process.stderr.write('asking for every key …\n');
  const real = await truths(redis, PLANTS);
  redis.disconnect();
  const samples = turns.flatMap(([, cells]) => cells.flatMap(({ sampled }) => sampled ?? []));
  const head = `Redis ${binary.version}, ${countText(keys)} keys, ${runsText(repeats)}`;
  const text = `${head}\n\n${latencyTable(turns)}\n\n${findingsTable(real, samples)}`;
  process.stdout.write(`\n${text}\n`);
  noteInDocs('keys', text);
});

/** The server ahead of what else the machine does, where that is allowed, as it is where it has its own: otherwise the others are measured. */
async function ahead(pid: number): Promise<void> {
  const [command] = await realtime(['true']);
  if (command === 'chrt') await run('chrt', ['--all-tasks', '--fifo', '--pid', '1', String(pid)]);
}

async function measure(port: number, work: () => Promise<Sampled | undefined>): Promise<Cell> {
  const { result, samples } = await probed(port, work);
  const all = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
  return { ...latenciesIn([all], samples), ...(result && { sampled: result }) };
}

async function sample(port: number, options: readonly string[]): Promise<Sampled> {
  const args = [OFFPEAK, 'keys', `redis://127.0.0.1:${port}`, '--json', '--duration', '5m', ...options];
  const { stdout } = await run(process.execPath, args, { maxBuffer: 2 ** 24 });
  const { drawn, cost, findings }: Sampled = JSON.parse(stdout).nodes[0];
  return { drawn, cost, findings: findings.map(({ kind, pattern, bytes }) => ({ kind, pattern, bytes })) };
}

type Turns = readonly (readonly [one: { readonly name: string }, cells: readonly Cell[]])[];

function latencyTable(turns: Turns): string {
  const idle = median(turns[0]?.[1].map(({ p999 }) => p999) ?? []);
  const rows = turns.map(([{ name }, cells]) => {
    const of = (figure: (cell: Cell) => number) => median(cells.map(figure));
    const costs = cells.flatMap(({ sampled }) => sampled?.cost ?? []);
    const cost = (figure: (cost: Sampled['cost']) => number) => median(costs.map(figure));
    return [
      name,
      countText(of(({ count }) => count)),
      ...[of(({ p50 }) => p50), of(({ p99 }) => p99), of(({ p999 }) => p999), of(({ max }) => max)].map((ms) =>
        fixed(ms, 2),
      ),
      fixed(of(({ p999 }) => p999) - idle, 2),
      ...(costs.length === 0
        ? ['', '', '']
        : [
            durationText(cost(({ took }) => took)),
            durationText(cost(({ busy }) => busy)),
            percentText(cost(({ share }) => share) * 100),
          ]),
    ];
  });
  const heads = ['', 'requests', 'p50 ms', 'p99', 'p99.9', 'max', 'beyond idle p99.9', 'took', 'main thread', 'share'];
  return markdownTable([heads, ...rows]);
}

/** The first sample that has the finding, and in how many of them the truth is within the interval. */
function findingsTable(real: readonly Truth[], samples: readonly Sampled[]): string {
  const rows = real.map(({ kind, pattern, bytes }) => {
    const found = samples.flatMap(({ findings }) =>
      findings.filter((one) => one.kind === kind && one.pattern === pattern),
    );
    const within = found.filter(({ bytes: { low, high } }) => low <= bytes && bytes <= high);
    const [first] = found;
    const estimate = first ? `${bytesText(first.bytes.low)} to ${bytesText(first.bytes.high)}` : 'not found';
    const middle = first ? bytesText(first.bytes.value) : '';
    return [`\`${pattern}\``, kind, bytesText(bytes), middle, estimate, `${within.length} of ${found.length}`];
  });
  return markdownTable([['pattern', 'finding', 'really', 'estimate', '95 % interval', 'within'], ...rows], 2);
}
