import fc from 'fast-check';
import { isGroupDue, isGroupRestored } from './caches-laws.ts';
import { CACHES, EVERY_INSTANCE_OF_MODEL, nodeName } from './fleet.ts';
import {
  BUSY,
  countThoseThatWait,
  due,
  instanceOf,
  isCleanAfterTick,
  isEveryNodePublished,
  isPromiseKept,
  isTheirsAgain,
} from './invariants.ts';
import type { LiveWorld } from './world.ts';

/** What has been done to the world, for the count. The invariants judge the world itself. */
export interface Tally {
  steps: number;
}

type Step = (world: LiveWorld) => unknown;

export class Command implements fc.AsyncCommand<Tally, LiveWorld> {
  readonly #words: string;
  readonly #step: Step;

  constructor(words: string, step: Step) {
    this.#words = words;
    this.#step = step;
  }

  check(): boolean {
    return true;
  }

  async run(tally: Tally, world: LiveWorld): Promise<void> {
    tally.steps++;
    await this.#step(world);
    isPromiseKept(world);
    if (world.violations.length > 0) throw new Error([...new Set(world.violations)].join('\n'));
  }

  toString(): string {
    return this.#words;
  }
}

const NODES = EVERY_INSTANCE_OF_MODEL.flatMap(({ id, nodes }) => nodes.map((_, index) => nodeName(id, index)));
export const nodesOf = (instance: string) => NODES.filter((name) => instanceOf(name).id === instance);
export const node = fc.constantFrom(...NODES);
/** That take CONFIG. */
export const own = fc.constantFrom(...NODES.filter((name) => instanceOf(name) !== CACHES));
export const fatal = fc.option(
  fc.record({ effect: fc.integer({ min: 1, max: 70 }), when: fc.constantFrom('before', 'after') }),
  { nil: undefined, freq: 3 },
);
export type Fatal = Parameters<LiveWorld['run']>[0];

/** A tick that ends is followed by what must then be true; of one that was killed nothing is expected. */
export async function tickAndJudge(world: LiveWorld, fatal: Fatal, meanwhile?: Meanwhile): Promise<void> {
  const published = world.published.length;
  const isDue = due(world);
  const isItsGroupDue = isGroupDue(world);
  const { trouble } = world;
  const isAwsTroubled = world.cloud.trouble !== undefined || world.cloud.underWay.length > 0;
  const isTroubled =
    trouble.down || trouble.losesNext || isFlaky(trouble) || meanwhile || world.now - world.lastDeath < BUSY;
  // Who dies between setting something and putting it back has not lived to do so.
  if (!(await world.run(fatal, {}, meanwhile))) return void world.overwritten.splice(0);
  isTheirsAgain(world);
  isEveryNodePublished(world, published);
  countThoseThatWait(world);
  if (isTroubled) return;
  isCleanAfterTick(world, isDue);
  if (!isAwsTroubled) isGroupRestored(world, isItsGroupDue);
}

type Meanwhile = Parameters<LiveWorld['run']>[2];

export function isFlaky({ failsOn, answerLostOn }: LiveWorld['trouble']): boolean {
  return failsOn !== undefined || answerLostOn !== undefined;
}

export function on(world: LiveWorld, name: string) {
  const server = world.servers.get(name);
  if (!server) throw new Error(`no server ${name}`);
  return server;
}

/** The servers on which the job's defrag is on. */
export function ours(world: LiveWorld): readonly string[] {
  return [...world.servers].flatMap(([name, server]) =>
    server.isOn() && server.owners.activedefrag === 'job' ? [name] : [],
  );
}

/** To the first of them, where there is one. */
export function onOurs(world: LiveWorld, step: (name: string) => unknown): void {
  const [name] = ours(world);
  if (name !== undefined) step(name);
}

export type Commands = fc.Arbitrary<fc.AsyncCommand<Tally, LiveWorld>>[];
