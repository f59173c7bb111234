import type { Config } from '../shared/config/schema.ts';
import { MINUTE, type Milliseconds } from '../shared/config/units.ts';
import { StateUnavailable } from '../shared/state/store.ts';
import { isOverdue, type Lease, wasTaken } from './decide/lease.ts';
import { byHand } from './decide/manual-restore.ts';
import type { Notice, Outcome, Problem } from './decide/outcome.ts';
import type { Situation } from './decide/plan.ts';
import { isNamed } from './decide/release.ts';
import { dropLease, type HeldLease, type Leases, setAside } from './leases.ts';
import { problemOf, type Seen, type Unseen } from './look.ts';
import { remember } from './memories.ts';
import type { Ports } from './ports.ts';
import { keepRecord } from './records.ts';
import type { State } from './state.ts';
import { entrustOutcomes, outcomeOf, type Visit } from './visit.ts';

/**
 * Leases whose server cannot be reached as itself any more: the config no longer names its node, or another server answers at its
 * address. Nobody can give them back but a person. They are told once, with what to type, and stand for a day beyond their end
 * in case the server comes back; then they are set aside, so that the instance's other nodes are tended again.
 */
const TOLD = 'stranded-lease';

/**
 * The node answers, but it is another server: behind a name, a virtual address, a balancer. Nothing is changed on it. `told` is what
 * is remembered of the server that the lease is on.
 */
export async function strandedLease(
  visit: Visit,
  facts: Situation,
  held: HeldLease,
  told: readonly string[] = [],
): Promise<Outcome> {
  const message = `another server answers at this address now. ${remedyOf(held.lease)}`;
  const isOver = isOverdue(held.lease, facts.now);
  const isNews = isOver || !told.includes(TOLD);
  const outcome = outcomeOf(
    visit,
    facts,
    { kind: 'skip', reason: 'changed' },
    {
      status: 'failed',
      leased: !isOver,
      problem: { kind: TOLD, message, expected: true },
      notices: noticesOf(message, isNews),
    },
  );
  if (!visit.dryRun) {
    if (isNews) await entrustOutcomes(visit, [outcome]);
    await settled(visit.ports, held, isOver, isNews);
  }
  return outcome;
}

/**
 * The node does not answer. Its lease stands for as long as it may soon come back; then it is set aside, so that the instance's other
 * nodes are tended again, and that is told.
 */
export async function unreachableLease(
  visit: Pick<Visit, 'ports' | 'stage' | 'holder' | 'instance'>,
  held: HeldLease,
  unseen: Outcome,
): Promise<Outcome> {
  const { lease } = held;
  if (!isOverdue(lease, visit.ports.clock.now())) return unseen;
  const message = `the node has not answered for a day since Offpeak's defrag on it should have ended. ${remedyOf(lease)}`;
  // Of a purge nothing is left on, and what came of it is told by whoever meets the server again.
  const notices = lease.phase === 'purging' ? [] : noticesOf(message, true);
  const outcome = { ...unseen, leased: false, notices, episode: lease.acquiredAt };
  await entrustOutcomes(visit, [outcome]);
  await settled(visit.ports, held, true, true);
  return outcome;
}

/**
 * Where each lease is to be given back, by node: at its address; or wherever else its server answers, when addresses have moved (a
 * failover behind names, a node that was renamed). A `run_id` is one process, under whatever name.
 */
export function homesOf(state: Leases, looks: readonly (Seen | Unseen)[]): ReadonlyMap<string, HeldLease> {
  const seen = looks.filter((look): look is Seen => 'observation' in look);
  const serversOf = ({ lease: { runId } }: HeldLease) =>
    seen.filter(({ observation }) => runId !== '' && observation.runId === runId).map((look) => look.node.id);
  const homes = new Map<string, HeldLease>([...state.leases.values()].map((held) => [held.lease.node, held]));
  for (const [node, held] of [...homes]) {
    const servers = serversOf(held);
    const elsewhere = servers.find((server) => !homes.has(server));
    if (servers.includes(node) || elsewhere === undefined) continue;
    homes.delete(node);
    homes.set(elsewhere, held);
  }
  // What was set aside stands in nobody's way, and comes back with its server only.
  for (const held of state.aside) {
    const free = serversOf(held).find((server) => !homes.has(server));
    const isAwaited =
      isUnstarted(held) && !seen.some((look) => look.node.id === free && wasTaken(held.lease, look.observation));
    if (free !== undefined && !isAwaited) homes.set(free, held);
  }
  return homes;
}

/** A start that may still be under way. */
function isUnstarted({ lease }: HeldLease): boolean {
  return lease.closing === 'never-started';
}

/** What was sent longer ago than this does not arrive any more: Linux gives up after a quarter of an hour (`tcp_retries2`). */
const UNDER_WAY: Milliseconds = 30 * MINUTE;

/** Forgets starts that have never come. One whose server does not answer may have come: it is kept. */
export async function dropUnstarted(
  { store, clock, log }: Ports,
  { aside }: Leases,
  homes: ReadonlyMap<string, HeldLease>,
  looks: readonly (Seen | Unseen)[],
): Promise<void> {
  const answering = new Set(looks.flatMap((look) => ('observation' in look ? [look.observation.runId] : [])));
  const over = aside.filter(
    (held) =>
      isUnstarted(held) &&
      answering.has(held.lease.runId) &&
      clock.now() - held.lease.acquiredAt > UNDER_WAY &&
      ![...homes.values()].includes(held),
  );
  try {
    for (const held of over) await dropLease(store, held);
  } catch (error) {
    if (!(error instanceof StateUnavailable)) throw error;
    log.warn('leases not dropped', { error: error.message });
  }
}

/** Leases on nodes that the config no longer names. A node that it names under another instance is tended there. */
export async function orphanedLeases(
  config: Config,
  { state, homes }: { readonly state: State; readonly homes: ReadonlyMap<string, HeldLease> },
  ports: Ports,
  mode: 'watch' | 'plan' | 'act',
): Promise<readonly Outcome[]> {
  const orphans = [...homes].flatMap(([node, held]) => (isNamed({ node }, config) ? [] : [held]));
  return await Promise.all(
    orphans.map(async (held) => {
      const { lease } = held;
      const isOver = isOverdue(lease, ports.clock.now());
      const isNews = isOver || !state.memoryOf(lease.node).told?.includes(TOLD);
      const failure = mode === 'act' ? await failureOf(settled(ports, held, isOver, isNews)) : undefined;
      const message = `Offpeak has a lease on a node that the config no longer names: put the node back into the config. ${remedyOf(lease, 'Or type on that server')}`;
      const { instance, node } = lease;
      const problem = failure ?? { kind: TOLD, message, expected: true };
      return { instance, node, status: 'failed', problem, notices: noticesOf(message, isNews) } as const;
    }),
  );
}

/** What is wrong with one lease must not keep the others from being told. */
async function failureOf(work: Promise<void>): Promise<Problem | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return problemOf(error);
  }
}

/** A state store that fails here must not keep the tick from being told. */
async function settled({ store, log }: Ports, held: HeldLease, isOver: boolean, isNews: boolean): Promise<void> {
  const { instance, node } = held.lease;
  try {
    if (isOver) {
      await keepRecord(store, held.lease);
      await setAside(store, held);
    }
    if (!isOver && isNews) {
      await remember(store, node, (memory) => ({ ...memory, told: [...(memory.told ?? []), TOLD] }));
    }
  } catch (error) {
    if (!(error instanceof StateUnavailable)) throw error;
    log.warn('stranded lease not noted', { instance, node, error: error.message });
  }
}

function noticesOf(why: string, isNews: boolean): readonly Notice[] {
  return isNews ? [{ kind: 'action-failed', doing: 'stop-defrag', why }] : [];
}

/** What a person can do, on the server on which the lease is. */
function remedyOf(lease: Lease, begin = 'On the server that Offpeak was working on, type'): string {
  const commands = byHand(lease);
  return commands === '' ? 'There is nothing to restore' : `${begin}:\n${commands}`;
}
