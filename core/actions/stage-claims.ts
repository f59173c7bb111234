import pLimit from 'p-limit';
import * as z from 'zod/mini';
import type { NodeFailure } from '../adapters/redis/failure.ts';
import { SECOND } from '../config/units.ts';
import type { StageBlocker } from '../domain/blocker.ts';
import type { Lease } from '../domain/lease.ts';
import type { Observation } from '../domain/observation.ts';
import type { ActingNode, Answer, Outage, StageLimits } from '../domain/stage.ts';
import { isRecent, outageOf, outagesAfter, stageBlockers } from '../guards/stage-limits.ts';
import { type HeldLease, leasesOf } from '../leases/lease-store.ts';
import type { Ports } from '../ports/ports.ts';
import { type StateStore, StateUnavailable } from '../ports/state-store.ts';
import { understood } from '../state/codec.ts';
import { isAside, LEASE, STAGE_DOCUMENT } from '../state/keys.ts';

/**
 * The brakes of the stage hold for two jobs at once, and for the instances that one job tends side by side, by one small document
 * (`claims`) and the leases themselves:
 *
 * * Who wants a lease reads the document, **then** lists the leases, counts both, and writes its claim into the document on the
 *   condition that nobody has changed it since. Only then it takes the lease. So each claim was judged with all earlier claims and
 *   with the leases that had come of them: of two that would be one too many, the second loses its write, reads again, and sees the first.
 * * A claim counts for as long as its job may still act on it: to the lease's `busyUntil`, after which the job itself drops what it has
 *   taken, and a little more for clocks that differ. From then on the lease alone counts. Nothing has to be taken back: a job that dies
 *   between claim and lease, a lease that is dropped, a document that is lost, all heal by themselves within that time.
 * * A lease that was set aside does not count: its server restarted or is away. One whose server has come back counts until it has got
 *   its settings back. A lease that cannot be read counts, wherever it may be.
 * * What has befallen a server is written into the same document, so that no claim is granted by a job that has not heard of it.
 *
 * A store that fails grants nothing. The document expires two days after its last write.
 */
export interface StageClaims {
  /** As last read, with what this tick has found itself. */
  seen(): StageLimits;
  /** Before a lease is taken: nothing, or what stands in the way. @throws {StateUnavailable} */
  claim(lease: Lease): Promise<readonly StageBlocker[]>;
  /** What this holder has claimed is over: for this job at once, for others as its lease is gone and its claim runs out. */
  release(node: string, holder: string): void;
  /** A server went down under our defrag: for all starts of this tick at once, and for the stage. @throws {StateUnavailable} */
  note(falls: readonly (Outage | undefined)[]): Promise<void>;
}

const amount = z.number();

const schema = z.object({
  claims: z.array(
    z.object({
      node: z.string(),
      holder: z.string(),
      address: z.optional(z.string()),
      isDefrag: z.boolean(),
      until: amount,
    }),
  ),
  falls: z.array(
    z.object({
      node: z.string(),
      runId: z.string(),
      engine: z.object({ name: z.string(), version: z.string() }),
      how: z.enum(['restarted', 'vanished']),
      at: amount,
      until: amount,
    }),
  ),
});

/** Of an invocation, as leases are: two of them may claim one node, and the lease decides between them. */
interface Claim extends Held {
  readonly until: number;
}

interface Held extends ActingNode {
  readonly holder: string;
}

export interface StageDocument {
  readonly claims: readonly Claim[];
  readonly falls: readonly Outage[];
  /** Of the stored document; absent where there is none. */
  readonly version?: number;
}

const NOTHING: StageDocument = { claims: [], falls: [] };

/** For clocks that differ between two jobs. */
const SKEW = 5 * SECOND;

/** Each loses only to another job's claim or fall. */
const TRIES = 20;

const REMEDY = '; remove it: leases and what this night brings fill it anew';

/** @throws {StateUnavailable} for what is none: never a guess. */
export async function readStageDocument(store: StateStore): Promise<StageDocument> {
  const stored = await store.read(STAGE_DOCUMENT);
  if (!stored) return NOTHING;
  return { ...(understood(schema, STAGE_DOCUMENT, stored.value, REMEDY) as StageDocument), version: stored.version };
}

/** What a look at a node came to, as far as the stage's limits need it. */
export type Look = { readonly node: { readonly id: string } } & (
  | { readonly observation: Observation }
  | { readonly problem: { readonly kind: string } }
);

/** What a tick knows as it begins. */
export interface Known {
  readonly limit: number;
  readonly document: StageDocument;
  readonly leases: readonly HeldLease[];
  /** Keys of leases that cannot be read. */
  readonly unreadable: readonly string[];
  readonly placements: ReadonlyMap<string, HeldLease>;
  readonly looks: readonly Look[];
}

export function stageClaims(
  { store, clock }: Pick<Ports, 'store'> & { readonly clock: Pick<Ports['clock'], 'now'> },
  known: Known,
): StageClaims {
  const { limit, placements, looks } = known;
  const oneByOne = pLimit(1);
  const found: Outage[] = [...outagesSeen(placements, looks, clock.now())];
  const answered = looks.flatMap((look): Answer[] => {
    const { runId, at } = 'observation' in look ? look.observation : {};
    return runId !== undefined && at !== undefined ? [{ runId, at }] : [];
  });
  /** Claims of this tick whose leases are over. */
  const released = new Set<string>();
  const nameOf = ({ node, holder, until }: Claim) => `${node} ${holder} ${until}`;
  let { document } = known;
  let leased = [...known.leases.flatMap(actingUnder), ...known.unreadable.map(unreadable)];

  function actingUnder(held: HeldLease): readonly Held[] {
    const home = [...placements].find(([, one]) => one.key === held.key)?.[0];
    if (isAside(held) && home === undefined) return [];
    const { address, holder } = held.lease;
    const node = home ?? held.lease.node;
    return [{ node, holder, ...(address !== undefined && { address }), isDefrag: held.lease.phase !== 'purging' }];
  }

  function seen(): StageLimits {
    const claimed = liveClaims().filter(
      ({ node }, index, live) =>
        !leased.some((lease) => lease.node === node) &&
        // Two claims on one node are one node.
        !live.slice(0, index).some((one) => one.node === node && one.isDefrag),
    );
    return {
      limit,
      acting: [...leased, ...claimed],
      falls: outagesAfter(document.falls, found, answered, clock.now()),
    };
  }

  /** In this order: what a claim has become by now stands among the leases. */
  async function refresh(): Promise<void> {
    document = withoutReleased(await readStageDocument(store));
    const garbled: string[] = [];
    const { leases, aside } = leasesOf(await store.list(LEASE), (key) => void garbled.push(key));
    leased = [...[...leases.values(), ...aside].flatMap(actingUnder), ...garbled.map(unreadable)];
  }

  /** False: another job has changed it in between. */
  async function write(claims: readonly Claim[]): Promise<boolean> {
    const { falls } = seen();
    const written = await store.write(STAGE_DOCUMENT, { claims, falls }, document.version);
    if (written.stored) document = { claims, falls, version: written.version };
    return written.stored;
  }

  function liveClaims(): readonly Claim[] {
    return document.claims.filter(({ until }) => until > clock.now());
  }

  async function claim(lease: Lease): Promise<readonly StageBlocker[]> {
    const { node, holder, address, engine, phase, busyUntil } = lease;
    const isDefrag = phase !== 'purging';
    const own = { node, ...(address !== undefined && { address }) };
    for (let attempt = 0; attempt < TRIES; attempt++) {
      await refresh();
      const blockers = stageBlockers(seen(), { ...own, ...(engine && { engine }) }, isDefrag, clock.now());
      if (blockers.length > 0) return blockers;
      const others = liveClaims().filter((one) => one.node !== node || one.holder !== holder);
      if (await write([...others, { ...own, holder, isDefrag, until: busyUntil + SKEW }])) return [];
    }
    throw contended();
  }

  async function note(falls: readonly (Outage | undefined)[]): Promise<void> {
    found.push(...falls.filter((fall) => fall !== undefined));
    for (let attempt = 0; attempt < TRIES; attempt++) {
      if (isSame(seen().falls, recent(document.falls))) return;
      if (await write(liveClaims())) return;
      document = withoutReleased(await readStageDocument(store));
    }
    throw contended();
  }

  function withoutReleased(read: StageDocument): StageDocument {
    return { ...read, claims: read.claims.filter((one) => !released.has(nameOf(one))) };
  }

  function recent(falls: readonly Outage[]): readonly Outage[] {
    return falls.filter((fall) => isRecent(fall, clock.now()));
  }

  function release(node: string, holder: string): void {
    const isIts = (one: Held) => one.node === node && one.holder === holder;
    leased = leased.filter((one) => !isIts(one));
    for (const one of document.claims) if (isIts(one)) released.add(nameOf(one));
    document = withoutReleased(document);
  }

  return {
    seen,
    release,
    claim: (lease) => oneByOne(() => claim(lease)),
    note: (falls) => oneByOne(() => note(falls)),
  };
}

function unreadable(key: string): Held {
  return { node: key, holder: '', isDefrag: true };
}

function isSame(a: readonly Outage[], b: readonly Outage[]): boolean {
  const named = (falls: readonly Outage[]) => falls.map(({ node, runId, how }) => `${node} ${runId} ${how}`).toSorted();
  return named(a).join() === named(b).join();
}

function contended(): StateUnavailable {
  return new StateUnavailable(`the document ${STAGE_DOCUMENT} is changed by other jobs again and again`);
}

/** What this tick's looks say of the servers that our leases are on. A node that was not looked at says nothing. */
function outagesSeen(placements: Known['placements'], looks: Known['looks'], now: number): readonly Outage[] {
  return [...placements].flatMap(([node, held]) => {
    const look = looks.find((one) => one.node.id === node);
    if (look === undefined || isAside(held)) return [];
    if ('problem' in look && !isSilence(look.problem)) return [];
    return outageOf(held.lease, 'observation' in look ? look.observation : 'silent', now) ?? [];
  });
}

/** It does not answer at all. Who refuses us, or speaks to us, is there. */
export function isSilence({ kind }: Pick<NodeFailure, 'kind'> | { readonly kind: string }): boolean {
  return kind === 'unreachable' || kind === 'timeout';
}
