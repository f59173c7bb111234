import type { InstanceConfig } from '../config/schema.ts';
import { type Milliseconds, SECOND } from '../config/units.ts';
import { type LoadCounters, loadCounters } from '../diagnosis/load.ts';
import type { KeyFacts, KeySample, KeySpace, SamplingEnd } from '../domain/keys.ts';
import type { Observation } from '../domain/observation.ts';
import { samplingBlocker } from '../guards/sampling.ts';
import type { Clock } from '../ports/clock.ts';
import type { KeyReader } from '../ports/key-reader.ts';
import { NodeFailure, type Session } from '../ports/node-session.ts';
import { afterCount, afterRound, keysAtOnce, type Pace, restFor, STANDING } from './pace.ts';

export interface SamplingOptions {
  /** Draws. */
  readonly samples: number;
  readonly duration: Milliseconds;
  /** Of the main thread, 0 to 1. */
  readonly budget: number;
  readonly readValues: boolean;
  readonly interrupted: () => boolean;
}

interface Target {
  readonly session: Session;
  readonly reader: KeyReader;
  readonly instance: InstanceConfig;
  readonly observation: Observation;
}

/** How often the guards check again, and the server's count of its commands is read. */
const EVERY: Milliseconds = SECOND;
/** Of the main thread: it takes some 0.3 ms; what its answer takes beyond this is the way, and this machine. */
const MOST_FOR_CHECK: Milliseconds = 2;
/** A small keyspace needs no more draws to have met nearly all of it. */
const DRAWS_EACH = 5;

/**
 * Draws keys until there are enough, the time is over, a guard objects, or the run is interrupted; what it has by then counts. It waits so
 * long between its rounds that it stays within its budget. Never throws NodeFailure: that is an end like the others.
 */
export async function sampleKeys(
  target: Target,
  options: SamplingOptions,
  clock: Pick<Clock, 'now' | 'elapsed' | 'pause'>,
): Promise<KeySample> {
  const now = () => clock.elapsed?.() ?? clock.now();
  const run = new Run(target, options, now);
  let end = run.objection(target.observation);
  try {
    while (end === undefined) {
      await clock.pause(run.rest());
      end = (await run.check()) ?? run.over() ?? (await run.round());
    }
  } catch (error) {
    if (!(error instanceof NodeFailure)) throw error;
    end = { kind: 'failed', message: error.message };
  }
  return run.result(end);
}

/** What one run has and knows so far. */
class Run {
  readonly #target: Target;
  readonly #options: SamplingOptions;
  readonly #now: () => Milliseconds;
  readonly #startedAt: Milliseconds;
  readonly #facts: KeyFacts[] = [];
  readonly #drawn: Map<number, number>;
  readonly #goal: number;
  #total = 0;
  #pace: Pace = STANDING;
  /** At the last count of the server: what was taken by then, and how many keys had been drawn. */
  #counted = { busy: 0, keys: 0 };
  #checkedAt: Milliseconds;
  #load: LoadCounters;
  #longest: Milliseconds = 0;

  constructor(target: Target, options: SamplingOptions, now: () => Milliseconds) {
    this.#target = target;
    this.#options = options;
    this.#now = now;
    this.#startedAt = this.#checkedAt = now();
    this.#load = loadCounters(target.observation);
    const { databases } = target.reader.space;
    this.#drawn = new Map(databases.map(({ index }) => [index, 0]));
    this.#goal = Math.min(options.samples, DRAWS_EACH * databases.reduce((sum, { keys }) => sum + keys, 0));
  }

  rest(): Milliseconds {
    const { budget, duration } = this.#options;
    return Math.min(restFor(this.#pace, budget, this.#elapsed()), Math.max(0, duration - this.#elapsed()), EVERY);
  }

  #elapsed(): Milliseconds {
    return this.#now() - this.#startedAt;
  }

  over(): SamplingEnd | undefined {
    if (this.#options.interrupted()) return { kind: 'interrupted' };
    if (this.#goal === 0) return { kind: 'empty' };
    if (this.#total >= this.#goal) return { kind: 'enough' };
    return this.#elapsed() >= this.#options.duration ? { kind: 'time' } : undefined;
  }

  /** Each second: the guards, and what the server says that this has cost. */
  async check(): Promise<SamplingEnd | undefined> {
    if (this.#now() - this.#checkedAt < EVERY) return undefined;
    const { session, reader } = this.#target;
    const askedAt = this.#now();
    const observation = await session.look();
    const spent = await reader.spent();
    const own = Math.min(MOST_FOR_CHECK, Math.max(0, this.#now() - askedAt - 2 * reader.way));
    const keys = this.#total - this.#counted.keys;
    if (spent !== undefined) this.#pace = afterCount(this.#pace, spent, keys, this.#counted.busy);
    this.#pace = { ...this.#pace, busy: this.#pace.busy + own };
    this.#counted = { busy: this.#pace.busy, keys: this.#total };
    this.#checkedAt = this.#now();
    const end = this.objection(observation, this.#load);
    this.#load = loadCounters(observation);
    return end;
  }

  objection(observation: Observation, load?: LoadCounters): SamplingEnd | undefined {
    const blocker = samplingBlocker(observation, this.#target.instance, load);
    return blocker && { kind: 'guard', blocker };
  }

  /** Nothing while the budget is used up: the wait may have been cut short for a check. */
  async round(): Promise<SamplingEnd | undefined> {
    if (restFor(this.#pace, this.#options.budget, this.#elapsed()) > 0) return undefined;
    const { index: database, left } = nextDatabase(this.#target.reader.space, this.#drawn, this.#goal);
    const count = keysAtOnce(this.#pace, left);
    const { facts, vanished, waits } = await this.#target.reader.draw(database, count, this.#options);
    const drawn = facts.length + vanished;
    if (drawn === 0) return this.#emptied(database);
    this.#facts.push(...facts);
    this.#drawn.set(database, (this.#drawn.get(database) ?? 0) + drawn);
    this.#total += drawn;
    this.#longest = Math.max(this.#longest, ...waits);
    this.#pace = afterRound(this.#pace, drawn, waits, this.#target.reader.way);
    return undefined;
  }

  /** Its keys have gone meanwhile: the others go on. */
  #emptied(database: number): SamplingEnd | undefined {
    this.#drawn.set(database, Number.POSITIVE_INFINITY);
    return [...this.#drawn.values()].every((drawn) => drawn === Number.POSITIVE_INFINITY)
      ? { kind: 'empty' }
      : undefined;
  }

  result(end: SamplingEnd): KeySample {
    const took = this.#elapsed();
    const { busy, by } = this.#pace;
    const { space, sent } = this.#target.reader;
    const share = took > 0 ? busy / took : 0;
    const { budget } = this.#options;
    return {
      space,
      drawn: this.#total,
      facts: this.#facts,
      cost: { took, busy, by, share, budget, longest: this.#longest, commands: sent },
      end,
    };
  }
}

/** The one that lags most behind its share of the keys, and how many of the `goal` draws are still its own. */
export function nextDatabase(
  { databases }: Pick<KeySpace, 'databases'>,
  drawn: ReadonlyMap<number, number>,
  goal: number,
): { readonly index: number; readonly left: number } {
  const all = databases.reduce((sum, { keys }) => sum + keys, 0);
  const ranked = databases
    .map(({ index, keys }) => ({ index, keys, drawn: drawn.get(index) ?? 0 }))
    .toSorted((a, b) => a.drawn / a.keys - b.drawn / b.keys);
  const [next = { index: 0, keys: all, drawn: 0 }] = ranked;
  return { index: next.index, left: Math.max(1, Math.round((goal * next.keys) / all) - next.drawn) };
}
