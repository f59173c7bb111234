import { setTimeout as wait } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { cpuSeconds, infoOf, settled } from '../../cli/lab/at-rest.ts';
import type { ServerBinary } from '../../cli/lab/binary.ts';
import { onFreshCopy, rssOf } from '../../cli/lab/floor.ts';
import type { Recipe } from '../../cli/lab/recipes.ts';
import { MIB } from '../../core/config/units.ts';
import { countedText, fixed, markdownTable, median } from '../statistics.ts';
import { monotonic, type Span, type Waits, waitsIn } from '../support/latencies.ts';
import { probed } from '../support/probing.ts';
import { type Prepared, prepared } from '../support/server.ts';
import type { Arm } from './arms.ts';
import type { CliRun } from './cli.ts';
import { type NoiseKind, startNoise } from './noise/start.ts';

/** The result of one arm on one server. */
export interface Cell extends Partial<CliRun> {
  /** Bytes: RSS before, at rest after, and of a fresh server with the same data. */
  readonly before: number;
  readonly after: number;
  readonly floor: number;
  /** Until the action was over. */
  readonly seconds: number;
  /** Of the server's process, without what serving the prober takes. */
  readonly cpu: number;
  readonly idle: Waits;
  /** Absent for a restart. */
  readonly action?: Waits;
}

export interface Subject {
  readonly binary: ServerBinary;
  readonly recipe: Recipe;
  readonly noise: NoiseKind;
  readonly seed: number;
}

/** The baseline, and the shortest time of measuring clients: in the few milliseconds of a purge, the tail would be nothing but the purge. */
const IDLE_MS = 10_000;

export async function measure({ binary, recipe, noise, seed }: Subject, arm: Arm): Promise<Cell> {
  await using ready = await prepared(binary, recipe.build, { args: recipe.args(binary.version) });
  const before = await rssOf(ready.redis);
  const seen = await underNoise(ready, arm, noise, seed);
  if (arm.action) await settled(ready.redis);
  const after = await rssOf(ready.redis);
  const fresh = await freshServer(binary, ready.redis);
  return arm.action
    ? { ...seen, before, after, floor: fresh.rss }
    : { ...seen, before, after: fresh.rss, floor: fresh.rss, seconds: fresh.seconds, cpu: fresh.cpu };
}

async function underNoise(ready: Prepared, arm: Arm, kind: NoiseKind, seed: number) {
  await using _ = await startNoise(kind, ready.server.pid, seed);
  const { result, samples } = await probed(ready.server.port, async () => {
    const idle = await timed(ready, () => wait(IDLE_MS));
    const action = arm.action && (await timed(ready, () => watched(ready, arm.action)));
    return { idle, action };
  });
  const { idle, action } = result;
  const rate = idle.cpu / lengthOf(idle.span);
  return {
    ...action?.result.said,
    idle: waitsIn(idle.span, samples),
    ...(action && { action: waitsIn(action.span, samples) }),
    seconds: action?.result.seconds ?? 0,
    cpu: action ? Math.max(0, action.cpu - rate * lengthOf(action.span)) : 0,
  };
}

/** The action, and the rest of the shortest time of measuring clients. */
async function watched(ready: Prepared, action: Arm['action']) {
  const began = performance.now();
  const acting = async () => {
    const said = await action?.(ready);
    return { said, seconds: (performance.now() - began) / 1000 };
  };
  const [result] = await Promise.all([acting(), wait(IDLE_MS)]);
  return result;
}

interface Timed<T> {
  readonly result: T;
  readonly span: Span;
  readonly cpu: number;
}

async function timed<T>({ redis }: Prepared, work: () => Promise<T>): Promise<Timed<T>> {
  const cpu = cpuSeconds(await infoOf(redis));
  const from = monotonic();
  const result = await work();
  const to = monotonic();
  return { result, span: { from, to }, cpu: cpuSeconds(await infoOf(redis)) - cpu };
}

function lengthOf({ from, to }: Span): number {
  return (to - from) / 1_000_000;
}

/** What a fresh server with the same data has at rest, and what a restart costs: from SAVE to the last key, clients have no server. */
async function freshServer(binary: ServerBinary, redis: Redis) {
  const began = performance.now();
  const before = cpuSeconds(await infoOf(redis));
  return await onFreshCopy(binary, redis, async (copy) => {
    const seconds = (performance.now() - began) / 1000;
    const saving = cpuSeconds(await infoOf(redis)) - before;
    const cpu = saving + cpuSeconds(await infoOf(copy));
    await settled(copy);
    return { rss: await rssOf(copy), seconds, cpu };
  });
}

/** The runs of one arm. */
interface Row {
  readonly name: string;
  readonly cells: readonly Cell[];
}

const HEAD = [
  ...['', 'RSS before MiB', 'at rest', 'share of a restart', 's', 'CPU s'],
  ...['p99.9 ms', 'worst', 'over 5 ms', 'late'],
  ...['idle p99.9 ms', 'worst', 'over 5 ms', 'late'],
  ...['ended', 'predicted'],
];

/** Each figure by itself is the median of the runs: the median run of one figure is not that of another. */
export function nightTable(rows: readonly Row[]): string {
  return markdownTable([HEAD, ...rows.map(lineOf)]);
}

function lineOf({ name, cells }: Row): readonly string[] {
  const of = (digits: number, figure: (cell: Cell) => number) => text(median(cells.map(figure)), digits);
  return [
    name,
    of(0, ({ before }) => before / MIB),
    of(0, ({ after }) => after / MIB),
    of(2, ({ before, after, floor }) => (before - after) / (before - floor)),
    of(1, ({ seconds }) => seconds),
    of(2, ({ cpu }) => cpu),
    ...waitsText(cells.flatMap(({ action }) => action ?? [])),
    ...waitsText(cells.map(({ idle }) => idle)),
    countedText(
      cells.flatMap(({ ended }) => ended ?? []),
      '; ',
    ),
    predictedText(cells.flatMap(({ predicted }) => predicted ?? [])),
  ];
}

function waitsText(waits: readonly Waits[]): readonly string[] {
  const of = (figure: keyof Waits) => median(waits.map((one) => one[figure]));
  const over = of('over');
  return [
    ...(['p999', 'worst'] as const).map((figure) => text(of(figure), 1)),
    Number.isFinite(over) ? `${fixed(over * 100, 2)} %` : '',
    text(of('late'), 1),
  ];
}

/** Empty where there is nothing to show. */
function text(value: number, digits: number): string {
  return Number.isFinite(value) ? fixed(value, digits) : '';
}

function predictedText(predictions: readonly NonNullable<Cell['predicted']>[]): string {
  if (predictions.length === 0) return '';
  const durations = predictions.flatMap(({ duration }) => duration ?? []);
  const seconds = durations.length === 0 ? '' : `, ${fixed(median(durations) / 1000, 0)} s`;
  return `${fixed(median(predictions.map(({ bytes }) => bytes)) / MIB, 0)} MiB${seconds}`;
}
