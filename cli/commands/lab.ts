import { constants } from 'node:fs';
import { access, mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { EXIT } from '../exit.ts';
import { interruption } from '../interrupt.ts';
import type { ServerBinary } from '../lab/binary.ts';
import { findDefragServer } from '../lab/find.ts';
import { ARM_NAMES, OF_THE_ARTICLE } from '../lab/trial/arms.ts';
import { LabProblem, type Moment, type TrialResult } from '../lab/trial/result.ts';
import { runTrial, type TrialOptions, type TrialView } from '../lab/trial/trial.ts';
import { type LabOptions, UsageError } from '../options.ts';
import { labPage } from '../render/html/lab.ts';
import { trialJson } from '../render/lab/json.ts';
import { momentHead, momentLine, momentLines, trialLines } from '../render/lab/lines.ts';
import { createProgress } from '../render/progress.ts';
import { type Style, styleFor } from '../render/style.ts';

/** Fragments servers of its own, and shows what each arm does. */
export async function lab(options: LabOptions): Promise<void> {
  const trial = trialOptions(options);
  if (options.html !== undefined) await refuseUnwritable(options.html);
  // The search for a server begins with it, and reports its mistakes.
  if (options.server !== undefined) process.env.REDIS_SERVER = options.server;
  const { signal } = interruption(() => process.stderr.write('\noffpeak: interrupted: cleaning up\n'));
  try {
    const result = await measured(options, trial, signal);
    if (options.html !== undefined) await writeFile(options.html, labPage(result));
    process.exitCode = result.failed.some(({ isExpected }) => !isExpected) ? EXIT.failed : EXIT.fine;
  } catch (error) {
    if (signal.aborted) process.exitCode = EXIT.interrupted;
    else if (error instanceof LabProblem) {
      process.stderr.write(`offpeak: lab: ${error.message}\n`);
      process.exitCode = EXIT.failed;
    } else throw error;
  }
}

/** @throws UsageError for an arm that the recipe does not have */
function trialOptions({ recipe, arms, scale, seed, large }: LabOptions): TrialOptions {
  const isArticle = recipe === undefined || recipe === 'article';
  const all = ARM_NAMES.filter((arm) => isArticle || !OF_THE_ARTICLE.includes(arm));
  const other = arms?.find((arm) => !all.includes(arm));
  if (other) throw new UsageError(`lab ${recipe} --arms ${other}: accepted are ${all.join(', ')}`);
  if (large && recipe !== 'compaction') throw new UsageError('lab --large: accepted beside the recipe compaction only');
  if (recipe === 'compaction' && scale !== 1)
    throw new UsageError('lab compaction --scale: its size is fixed; accepted is --large, for 1 GB');
  if ((recipe === 'compaction' || recipe === 'hashes') && seed !== 1)
    throw new UsageError(`lab ${recipe} --seed: its data are fixed; accepted beside article, sizes and churn`);
  return { recipe, arms: arms ?? all, scale, seed, isLarge: large ?? false };
}

/** Before minutes of measuring, not after: its folder is made, as by `init`. @throws UsageError */
async function refuseUnwritable(file: string): Promise<void> {
  const folder = dirname(resolve(file));
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (cause) {
    throw new UsageError(`lab --html ${file}: no file can be written in ${folder}`, { cause });
  }
  const there = await stat(file).catch(() => undefined);
  if (there?.isDirectory()) throw new UsageError(`lab --html ${file}: is a folder; accepted is the name of a file`);
}

async function measured(options: LabOptions, trial: TrialOptions, signal: AbortSignal): Promise<TrialResult> {
  const stream = options.json ? process.stderr : process.stdout;
  const style = styleFor(stream, process.env, options);
  const say = (text: string) => void stream.write(`${text}\n`);
  const binary = await serverFor(say, signal);
  const progress = createProgress(stream, style, () => performance.now());
  try {
    say(`Server ${binary.version} (${binary.path}). Fragmenting servers of its own, on loopback:`);
    const result = await runTrial(binary, trial, signal, {
      progress: (share, note) => progress.update('  measuring', share, note),
      moment: momentPrinter(style, (line) => progress.done(line)),
    });
    progress.done();
    if (options.json) process.stdout.write(`${trialJson(result)}\n`);
    else say([...(stream.isTTY ? [] : tableOf(result, style)), ...trialLines(result, style)].join('\n'));
    return result;
  } finally {
    progress.done();
  }
}

/** @throws LabProblem */
async function serverFor(log: (line: string) => void, signal: AbortSignal): Promise<ServerBinary> {
  const found = await findDefragServer({ log, signal });
  if (found.kind === 'found') return found;
  throw new LabProblem(`${found.reason}. ${found.install}`);
}

/** The article's table as a whole, for a log: there, progress stands between the rows that were printed as they were measured. */
function tableOf({ table }: TrialResult, style: Style): readonly string[] {
  return table === undefined ? [] : momentLines(table, style);
}

/** The article's table, each row as soon as it is known. */
function momentPrinter(style: Style, print: (line: string) => void): TrialView['moment'] {
  let scale = 0;
  return (moment: Moment, clock: number) => {
    if (scale === 0) print(momentHead(style));
    scale ||= moment.reading.rss;
    print(momentLine(moment, clock, scale, style));
  };
}
