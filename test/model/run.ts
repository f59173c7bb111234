import fc from 'fast-check';
import { mulberry32 } from '../support/random.ts';
import { isGroupAtRest } from './caches-laws.ts';
import type { Tally } from './command.ts';
import { comeToRest, commands } from './commands.ts';
import { CACHES, CART } from './fleet.ts';
import { isEveryDeedTold, judge } from './invariants.ts';
import { aWorld, type LiveWorld } from './world.ts';

/** The nights on which the clocks of the fleet's zones change, and an ordinary one. */
const STARTS = [
  '2026-03-07T18:00:00Z',
  '2026-03-28T18:00:00Z',
  '2026-10-24T18:00:00Z',
  '2026-10-31T18:00:00Z',
  '2026-06-10T18:00:00Z',
];

export interface Tried {
  /** Commands that were run; a tick counts as one, however many effects it has. */
  readonly steps: number;
  /** Effects of the job that the world has seen. */
  readonly effects: number;
  readonly deeds: Record<string, number>;
  readonly killed: number;
  /** How often each law of an if-clause had something to hold. */
  readonly applied: Record<string, number>;
  /** Seed, path and the shrunk commands, where an invariant did not hold. */
  readonly failure?: string;
}

/** Runs sequences of up to 40 commands until `steps` are done. */
export async function tryModel(steps: number, seed: number): Promise<Tried> {
  const tally: Tally = { steps: 0 };
  const deeds: Record<string, number> = {};
  const applied: Record<string, number> = {};
  let effects = 0;
  let killed = 0;
  const property = fc.asyncProperty(
    fc.constantFrom(...STARTS),
    fc.integer(),
    fc.commands(commands, { maxCommands: 40, size: 'max' }),
    async (start, turns, sequence) => {
      const random = mulberry32(turns);
      const world = aWorld(Date.parse(start), random, judge, [CART, CACHES]);
      for (const server of world.servers.values()) server.fragment(Math.floor(random() * 400) * 2 ** 20);
      const setup = () => ({ model: tally, real: world });
      await fc.asyncModelRun(setup, sequence);
      await comeToRest(world);
      isAtRest(world);
      if (world.violations.length > 0) throw new Error([...new Set(world.violations)].join('\n'));
      effects += world.effects;
      if (world.lastDeath > 0) killed++;
      for (const [law, times] of world.applied) applied[law] = (applied[law] ?? 0) + times;
      for (const { kind } of world.deeds) deeds[kind] = (deeds[kind] ?? 0) + 1;
      deeds['group-on'] = (deeds['group-on'] ?? 0) + world.groupRuns.length;
    },
  );
  let round = 0;
  while (tally.steps < steps) {
    const result = await fc.check(property, {
      seed: seed + round++,
      numRuns: Math.min(100, Math.ceil((steps - tally.steps) / 20)),
      endOnFailure: false,
    });
    if (result.failed)
      return {
        steps: tally.steps,
        effects,
        deeds,
        killed,
        applied,
        failure: `${result.errorInstance}\n${fc.defaultReportMessage(result)}`,
      };
  }
  return { steps: tally.steps, effects, deeds, killed, applied };
}

/** S2 and S7, at the end of all: no lease, nothing of ours on any server, nothing that waits to be told. */
function isAtRest(world: LiveWorld): void {
  isEveryDeedTold(world);
  isGroupAtRest(world);
  for (const [name, server] of world.servers) {
    if (server.taken().length > 0 && !server.traits.isManaged && !world.hasLostTable)
      world.violations.push(`S2: ${name} is left with ${server.taken()}`);
  }
  const alive = new Set([...world.servers.values()].map((server) => server.runId()));
  for (const [key, { value }] of world.documents) {
    // A quarantined lease of a server that has restarted, or never answered as itself again, is kept for its lifetime.
    const { runId, status } = value as { readonly runId?: string; readonly status?: string };
    const isLost =
      key.startsWith('lease#') &&
      !alive.has(runId ?? '') &&
      (world.hasMoved || world.hasLostTable || status === 'quarantined');
    if (/^(lease|outbox)#/.test(key) && !isLost) world.violations.push(`S2: ${key} is left in the store`);
  }
}
