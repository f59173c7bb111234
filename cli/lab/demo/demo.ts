import type { Bytes } from '../../../core/config/units.ts';
import { stepsOf, verdictIn } from '../../../core/domain/outcome.ts';
import type { Verdict } from '../../../core/domain/verdict.ts';
import { bytesText, durationText, percentText } from '../../../core/format/units.ts';
import type { Tick } from '../../../core/reconcile/scope.ts';
import { printer } from '../../output.ts';
import { levelBar } from '../../render/bars.ts';
import { createProgress, type Progress } from '../../render/progress.ts';
import { type Style, styleFor } from '../../render/style.ts';
import type { ServerBinary } from '../binary.ts';
import { clientOf } from '../client.ts';
import { findDefragServer, findPlainServer } from '../find.ts';
import { folderOf, restartFloor, rssOf } from '../floor.ts';
import { openNight } from '../night.ts';
import { type RunningServer, startServer } from '../start.ts';
import { expire, fill, RECIPE } from './fragment.ts';

interface DemoOptions {
  readonly color: boolean;
  readonly signal: AbortSignal;
}

/** A schedule ticks every few minutes; a demo every second, so that the defrag's progress shows. */
const EVERY_MS = 1000;
/** Of a bar. */
const CELLS = 50;

/** The job on a server of its own: find one, fragment it, defragment it, and compare the result with the prediction. */
export async function demo({ color, signal }: DemoOptions): Promise<boolean> {
  const style = styleFor(process.stdout, process.env, { color });
  const progress = createProgress(process.stdout, style, () => performance.now());
  const binary = await findServer(signal);
  if (!binary) return false;
  try {
    await using server = await startServer(binary, { signal });
    say(`\nRedis ${binary.version} on port ${server.port}, empty. Fragmenting it:`);
    const measured = await onServer(server, binary, progress, { color, signal });
    say(summaryLines(measured, style).join('\n'));
    return measured.isRestored;
  } finally {
    progress.done();
  }
}

async function onServer(
  server: RunningServer,
  binary: ServerBinary,
  progress: Progress,
  { color, signal }: DemoOptions,
): Promise<Measurements> {
  const redis = clientOf(server);
  try {
    const keys = await fill(redis, signal, (share, note) => progress.update('  writing ', share, note));
    await expire(redis, keys, signal, (share, note) => progress.update('  expiring', share, note));
    progress.done(
      `  wrote ${bytesText(RECIPE.bytes)} of values of 100 B to 10 KB; 65 % of them have expired, in scattered order\n`,
    );
    const settings = await redis.config('GET', '*');
    const rssBefore = await rssOf(redis);
    const seen = await run(server, await folderOf(redis), { color, signal });
    const rssAfter = await rssOf(redis);
    const isRestored = JSON.stringify(await redis.config('GET', '*')) === JSON.stringify(settings);
    const rssAfterRestart = await restartFloor(binary, redis, signal);
    return { seen, rssBefore, rssAfter, rssAfterRestart, isRestored };
  } finally {
    redis.disconnect();
  }
}

async function run(server: RunningServer, folder: string, { color, signal }: DemoOptions): Promise<readonly Tick[]> {
  const night = await openNight({
    ...{ id: 'demo', port: server.port, memoryLimit: '768MiB', more: 'metrics: detailed' },
    ...{ folder, every: EVERY_MS, signal },
  });
  const print = printer({ color }, night.published);
  const seen: Tick[] = [];
  for await (const tick of night.ticks) {
    print(tick);
    seen.push(tick);
  }
  signal.throwIfAborted();
  return seen;
}

async function findServer(signal: AbortSignal): Promise<ServerBinary | undefined> {
  const found = await findDefragServer({ log: say, signal });
  if (found.kind === 'found') return found;
  say(`No Redis that can defragment: ${found.reason}.\n${found.install}`);
  const plain = await findPlainServer({ log: say, signal });
  if (plain.kind === 'found') {
    say(
      `Going on with Redis ${plain.version}, which refuses to defragment: only the check and the purge can be shown.`,
    );
    return plain;
  }
  say(`No Redis at all: ${plain.reason}.\n${plain.install}`);
  return undefined;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

interface Measurements {
  readonly seen: readonly Tick[];
  readonly rssBefore: Bytes;
  readonly rssAfter: Bytes;
  readonly rssAfterRestart: Bytes;
  readonly isRestored: boolean;
}

/** Before and after, and each promise beside the measurement. */
function summaryLines(measured: Measurements, style: Style): readonly string[] {
  const { seen, rssAfter, rssAfterRestart, isRestored } = measured;
  const verdict = verdictsOf(seen).find(({ action }) => action === 'defrag') ?? verdictsOf(seen).at(-1);
  // Until the start, free pages leave by themselves: they are not what the action returned.
  const rssBefore = verdict?.rssBefore ?? measured.rssBefore;
  const purge = verdictsOf(seen).find(({ action }) => action === 'purge');
  const isReleased = seen.at(-1)?.leased.length === 0;
  const { paint } = style;
  return [
    paint('strong', 'Before and after'),
    bar('RSS before', rssBefore, rssBefore, style),
    bar('RSS after', rssAfter, rssBefore, style),
    bar('after a restart', rssAfterRestart, rssBefore, style),
    '',
    ...(verdict ? [returned(verdict), stalled(verdict)] : ['  no action was taken']),
    ...(purge && verdict !== purge ? [blocked(purge)] : []),
    `  ${'of a restart'.padEnd(16)} ${percentText(((rssBefore - rssAfter) / Math.max(1, rssBefore - rssAfterRestart)) * 100)} of what a restart with the same data would return`,
    `  ${'settings'.padEnd(16)} ${isRestored ? paint('good', 'restored: CONFIG GET * is as before') : paint('bad', 'NOT restored')}`,
    `  ${'lease'.padEnd(16)} ${isReleased ? paint('good', 'gone') : paint('bad', 'still held')}`,
  ];
}

function verdictsOf(seen: readonly Tick[]): readonly Verdict[] {
  return seen.flatMap(({ outcomes }) => outcomes.flatMap(stepsOf).flatMap((step) => verdictIn(step) ?? []));
}

function bar(label: string, bytes: Bytes, full: Bytes, style: Style): string {
  return `  ${label.padEnd(16)} ${levelBar(bytes / full, CELLS, style, 'data')} ${bytesText(bytes)}`;
}

function returned({ reclaimed, predicted, share }: Verdict): string {
  const part = share === undefined ? '' : ` (${percentText(share * 100)})`;
  return `  ${'returned'.padEnd(16)} ${bytesText(reclaimed)} of ${bytesText(predicted)} predicted${part}`;
}

function stalled({ stall, promisedStall, beyond = 0 }: Verdict): string {
  const longest = stall === 0 ? 'below 1 ms' : durationText(stall);
  const share = ((1 - beyond) * 100).toLocaleString('en', { maximumFractionDigits: 2 });
  return `  ${'longest cycle'.padEnd(16)} ${longest}; at most ${durationText(promisedStall)} for ${share} % of the time (promised: 99.9 %)`;
}

function blocked({ stall, promisedStall }: Verdict): string {
  return `  ${'purge blocked'.padEnd(16)} ${durationText(stall)} (promised: at most ${durationText(promisedStall)})`;
}
