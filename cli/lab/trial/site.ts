import type { Redis } from 'ioredis';
import type { LimitFunction } from 'p-limit';
import { cpuSeconds, infoOf } from '../at-rest.ts';
import type { ServerBinary } from '../binary.ts';
import { clientOf } from '../client.ts';
import type { Recipe } from '../recipes.ts';
import { type RunningServer, startServer } from '../start.ts';
import { ACTS, atRest, type Done, type Ready } from './acts.ts';
import type { ArmName, Site } from './arms.ts';
import { dirtyDecayOf, readingOf, readingOfAll } from './reading.ts';
import type { LabRecipe } from './recipes.ts';
import { type ArmResult, type Moment, type Reading, sumOf } from './result.ts';

/** What all sites of a trial share. */
export interface Trial {
  readonly binary: ServerBinary;
  readonly signal: AbortSignal;
  /** Actions take turns: their seconds, and the clients' waits that Offpeak looks after, would be the neighbours'. */
  readonly inTurn: LimitFunction;
  /** Where a site is, with its share from 0 to 1. */
  progress(site: string, doing: string, share: number): void;
  /** A row of a table of the article. */
  moment(site: string, moment: Moment): void;
}

/** A server that no longer answers must not keep the lab for ever. The longest command, a SAVE of some GB, takes a tenth. */
const REPLY_MS = 180_000;

/** Shares of the progress: building takes longest. */
const BUILT = 0.6;

/** Starts the servers of a site, fragments them, and runs its arms. @throws when a server dies or does not answer; the signal's reason */
export async function runSite(site: Site, recipe: LabRecipe, trial: Trial): Promise<readonly ArmResult[]> {
  await using built = await buildSite(site, recipe, trial);
  const { all, full } = built;
  const redises = all.map(({ redis }) => redis);
  const fresh = await readingOfAll(redises);
  trial.progress(site.name, 'coming to rest', BUILT);
  const seconds = await atRest(redises, trial.signal);
  const before = await readingOfAll(redises);
  trial.moment(site.name, { when: 'rest', reading: before });
  const results: ArmResult[] = [];
  for (const [at, arm] of site.arms.entries()) {
    trial.progress(site.name, arm, BUILT + 0.1 + (0.3 * at) / site.arms.length);
    const waited = { arm, before: fresh, after: before, seconds, cpu: 0 };
    const [first] = all;
    const result = first && ACTS[arm] ? await acted(arm, first, before, trial) : waited;
    results.push({ ...result, ...(full && { full }), ...(arm === 'decay' && (await confRead(trial))) });
  }
  trial.progress(site.name, 'done', 1);
  return results;
}

/** Builds a site for the article's table alone: its moments, and the last one at rest. */
export async function runTable(name: string, recipe: LabRecipe, trial: Trial): Promise<readonly ArmResult[]> {
  const site: Site = { name: 'as-is', arms: [], storages: [{}], args: [], env: {} };
  const named = {
    ...trial,
    progress: (_: string, doing: string, share: number) => trial.progress(name, doing, share),
    moment: (_: string, moment: Moment) => trial.moment(name, moment),
  };
  await using built = await buildSite(site, recipe, named);
  const redises = built.all.map(({ redis }) => redis);
  named.progress('', 'coming to rest', 0.9);
  await atRest(redises, trial.signal);
  trial.moment(name, { when: 'rest', reading: await readingOfAll(redises) });
  named.progress('', 'done', 1);
  return [];
}

interface Built extends AsyncDisposable {
  readonly all: readonly Ready[];
  readonly full?: Reading;
}

async function buildSite(site: Site, recipe: LabRecipe, trial: Trial): Promise<Built> {
  const all: (Ready & { readonly redis: Disposable })[] = [];
  const close = async () => {
    for (const { redis } of all) redis[Symbol.dispose]();
    await Promise.all(all.map(({ server }) => server.stop()));
  };
  try {
    for (const storage of site.storages) all.push(await startReady(site, recipe.recipe(storage), trial));
    const full = await Promise.all(
      all.map(({ redis }, at) => fragment(site, recipe.recipe(site.storages[at] ?? {}), redis, trial)),
    );
    const known = full.filter((reading) => reading !== undefined);
    return { all, ...(known.length > 0 && { full: sumOf(known) }), [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startReady(site: Site, recipe: Recipe, { binary, signal }: Trial) {
  const args = [...recipe.args(binary.version), ...site.args];
  const executable = { path: binary.path, env: { ...binary.env, ...site.env } };
  const server = await startServer(executable, { args, signal });
  return { binary, server, redis: clientUntil(server, signal) };
}

/** Returns the reading with everything written, where the recipe has such a moment. */
async function fragment(site: Site, recipe: Recipe, redis: Redis, trial: Trial): Promise<Reading | undefined> {
  let full: Reading | undefined;
  await recipe.build(redis, {
    signal: trial.signal,
    progress: (doing, share) => trial.progress(site.name, doing, share * BUILT),
    async moment(when) {
      const reading = await readingOf(redis);
      if (when === 0) full = reading;
      // Of two servers neither is the site.
      if (site.storages.length === 1) trial.moment(site.name, { when, reading });
    },
  });
  return full;
}

/** Ctrl-C must not wait for the answer of a server that is stopped. */
function clientUntil(server: RunningServer, signal: AbortSignal): Redis & Disposable {
  const redis = clientOf(server, { commandTimeout: REPLY_MS });
  const onAbort = () => redis.disconnect();
  signal.addEventListener('abort', onAbort, { once: true });
  return Object.assign(redis, {
    [Symbol.dispose]() {
      signal.removeEventListener('abort', onAbort);
      redis.disconnect();
    },
  });
}

async function acted(arm: ArmName, ready: Ready, before: Reading, trial: Trial): Promise<ArmResult> {
  const { redis } = ready;
  const { signal } = trial;
  const act = ACTS[arm];
  const { done, seconds, cpu } = await trial.inTurn(async () => {
    const [began, cpuBefore] = [performance.now(), cpuSeconds(await infoOf(redis))];
    const done: Done = (await act?.(ready, signal)) ?? {};
    const seconds = (performance.now() - began) / 1000;
    return { done, seconds, cpu: cpuSeconds(await infoOf(redis)) - cpuBefore };
  });
  if (!done.after) await atRest([redis], signal);
  const after = done.after ?? (await readingOfAll([redis]));
  return { arm, before, seconds, cpu, ...done, after };
}

/** Not a word of the article's line is read by the jemalloc that Redis bundles, whose names begin with `je_`. */
async function confRead({ binary, signal }: Trial): Promise<Pick<ArmResult, 'isMallocConfRead'>> {
  const ODD_MS = 4321;
  const env = { ...binary.env, MALLOC_CONF: `dirty_decay_ms:${ODD_MS}` };
  await using server = await startServer({ path: binary.path, env }, { signal });
  using redis = clientUntil(server, signal);
  const decay = await dirtyDecayOf(redis);
  return decay === undefined ? {} : { isMallocConfRead: decay === ODD_MS };
}
