import pLimit from 'p-limit';
import { messageText } from '../../../core/format/error-text.ts';
import type { ServerBinary } from '../binary.ts';
import { ARM_NAMES, type ArmName, lackingIn, type RecipeName, type Site, sitesFor } from './arms.ts';
import { type LabRecipe, labRecipe, type RecipeOptions } from './recipes.ts';
import type { ArmResult, Failed, Moment, TrialResult } from './result.ts';
import { roomFor, type Task, waves } from './room.ts';
import { runSite, runTable, type Trial } from './site.ts';

export interface TrialOptions extends RecipeOptions {
  readonly recipe: RecipeName | undefined;
  readonly arms: readonly ArmName[];
}

/** What a person sees of it. */
export interface TrialView {
  /** All sites together: a share from 0 to 1, and what one of them is doing. */
  progress(share: number, note: string): void;
  /** A row of the article's table, at that many times its clock. */
  moment(moment: Moment, clock: number): void;
}

interface Job extends Task {
  readonly name: string;
  readonly arms: readonly ArmName[];
  run(trial: Trial): Promise<readonly ArmResult[]>;
}

const TABLE = 'table';

/**
 * Fragments servers of its own in the same way, does something else to each, and measures them. As many at once as fit into the memory.
 *
 * @throws LabProblem where they do not fit; the signal's reason
 */
export async function runTrial(
  binary: ServerBinary,
  options: TrialOptions,
  signal: AbortSignal,
  view: TrialView,
): Promise<TrialResult> {
  const [at, began] = [Date.now(), performance.now()];
  const recipe = labRecipe(options.recipe, options);
  const source = recipe.table ?? recipe;
  const jobs = jobsFor(recipe, options.arms, binary.version);
  const room = await roomFor(jobs, options.scale);
  const moments: Moment[] = [];
  const trial: Trial = {
    binary,
    signal,
    inTurn: pLimit(1),
    progress: board(jobs, view),
    moment(site, moment) {
      if (source.clock === undefined || site !== (recipe.table ? TABLE : 'as-is')) return;
      moments.push(moment);
      view.moment(moment, source.clock);
    },
  };
  const arms: ArmResult[] = [];
  const lacking = options.arms.filter((arm) => lackingIn(binary.version).includes(arm));
  const failed: Failed[] =
    lacking.length > 0 ? [{ arms: lacking, problem: 'jemalloc-bg-thread came with Redis 6.0', isExpected: true }] : [];
  for (const wave of waves(jobs, room)) {
    const results = await Promise.allSettled(wave.map((job) => job.run(trial)));
    signal.throwIfAborted();
    for (const [index, result] of results.entries()) {
      if (result.status === 'fulfilled') arms.push(...result.value);
      else failed.push({ arms: wave[index]?.arms ?? [], problem: problemText(result.reason) });
    }
  }
  return {
    ...(options.recipe && { recipe: options.recipe }),
    title: recipe.recipe({}).title,
    server: { version: binary.version, path: binary.path },
    ...{ scale: options.scale, seed: options.seed, at, lasted: performance.now() - began },
    ...(recipe.clock && { clock: recipe.clock }),
    ...(source.clock &&
      moments.length > 0 && { table: { title: source.recipe({}).title, clock: source.clock, moments } }),
    arms: ARM_NAMES.flatMap((name) => arms.find(({ arm }) => arm === name) ?? []),
    failed,
  };
}

function jobsFor(recipe: LabRecipe, arms: readonly ArmName[], version: string): readonly Job[] {
  const { table } = recipe;
  const own: readonly Job[] = table
    ? [{ name: TABLE, arms: [], peak: table.peak({}), run: (trial) => runTable(TABLE, table, trial) }]
    : [];
  return [...own, ...sitesFor(arms, version).map((site) => jobOf(site, recipe))];
}

/** A site's data are those of one server, also where they are split over two. */
function jobOf(site: Site, recipe: LabRecipe): Job {
  const { name, arms, storages } = site;
  return {
    ...{ name, arms },
    peak: Math.max(...storages.map((storage) => recipe.peak(storage))),
    run: (trial) => runSite(site, recipe, trial),
  };
}

function board(jobs: readonly Job[], view: TrialView): Trial['progress'] {
  const shares = new Map<string, number>();
  return (site, doing, share) => {
    // Two servers of one site are not equally far.
    shares.set(site, Math.max(share, shares.get(site) ?? 0));
    const sum = [...shares.values()].reduce((all, one) => all + one, 0);
    view.progress(sum / jobs.length, `${site}: ${doing}`);
  };
}

function problemText(reason: unknown): string {
  const text = messageText(reason);
  // ioredis' own words.
  if (text === 'Connection is closed.') return 'its server has gone away: ended from outside, or killed for its memory';
  if (text === 'Command timed out') return 'its server did not answer for three minutes';
  return text;
}
