import pLimit from 'p-limit';
import type { StageBlocker } from '../domain/blocker.ts';
import type { Lease } from '../domain/lease.ts';
import { present } from '../domain/present.ts';
import type { Answer, Group, Outage, StageLimits, Switching } from '../domain/stage.ts';
import { CLOCK_SKEW } from '../domain/timings.ts';
import { isRecent, outagesAfter, stageBlockers, switchBlockers } from '../guards/stage-limits.ts';
import { allHeld, type HeldLease, leasesOf } from '../leases/lease-store.ts';
import type { Ports } from '../ports/ports.ts';
import type { StateStore } from '../ports/state-store.ts';
import { encode } from '../state/codec.ts';
import { isLeaseKey, LEASE, STAGE_DOCUMENT } from '../state/keys.ts';
import { actingUnder, type SwitchedNode, unreadable } from './acting-leases.ts';
import { answersIn, outagesSeen } from './outages.ts';
import {
  type Claim,
  contended,
  type Held,
  isSame,
  nameOf,
  readStageDocument,
  STAGE_KIND,
  type StageDocument,
} from './stage-document.ts';
import type { Known } from './stage-known.ts';
import { unseenBlockers } from './unseen.ts';

/**
 * The limits of the stage hold for two jobs at once, and for the instances that one job reconciles side by side, by one small document
 * (`brakes`) and the leases themselves:
 *
 * * A job that wants a lease reads the document, **then** lists the leases, counts both, and writes its claim into the document on the
 *   condition that no other job has changed it since. Only then it takes the lease. So each claim was judged with all earlier claims and
 *   with the leases that had come of them: of two that would be one too many, the second loses its write, reads again, and sees the first.
 * * A claim counts for as long as its job may still act on it: to the lease's `busyUntil`, after which the job itself drops what it has
 *   taken, and a little more for clocks that differ. From then on the lease alone counts. Nothing has to be taken back: a job that dies
 *   between claim and lease, a lease that is dropped, a document that is lost, all heal by themselves within that time.
 * * A quarantined lease does not count: its server restarted or is away. One whose server has come back counts until it has got
 *   its settings back. A lease that cannot be read counts, wherever it may be.
 * * What has happened to a server is written into the same document, so that no job grants a claim without knowing of it.
 *
 * A store that fails grants nothing. The document expires two days after its last write.
 */
export interface StageClaims {
  /** As last read, with what this tick has found itself. */
  seen(): StageLimits;
  /** Before a lease is taken: nothing, or what stands in the way. @throws {StateUnavailable} */
  claim(lease: Lease, group?: Group): Promise<readonly StageBlocker[]>;
  /** The same for nodes that one change switches on at once: a place for each of them, or none. @throws {StateUnavailable} */
  claimAll(nodes: readonly Switching[], by: Pick<Lease, 'holder' | 'busyUntil'>): Promise<readonly StageBlocker[]>;
  /** What this holder has claimed is over: for this job at once, for others as its lease is gone and its claim runs out. */
  release(node: string, holder: string): void;
  /** A server went down under Offpeak's defrag: for all starts of this tick at once, and for the stage. @throws {StateUnavailable} */
  note(falls: readonly (Outage | undefined)[]): Promise<void>;
}

/** Each loses only to another job's claim or fall. */
const TRIES = 20;

export function stageClaims(
  { store, clock }: Pick<Ports, 'store'> & { readonly clock: Pick<Ports['clock'], 'now'> },
  known: Known,
): StageClaims {
  return new TickClaims(store, () => clock.now(), known);
}

class TickClaims implements StageClaims {
  readonly #store: StateStore;
  readonly #now: () => number;
  readonly #known: Known;
  readonly #oneByOne = pLimit(1);
  readonly #found: Outage[];
  readonly #answered: readonly Answer[];
  /** Claims of this tick whose leases are over. */
  readonly #released = new Set<string>();
  #document: StageDocument;
  #leased: readonly Held[];
  #switched: readonly SwitchedNode[];
  #leases: readonly HeldLease[] = [];

  constructor(store: StateStore, now: () => number, known: Known) {
    this.#store = store;
    this.#now = now;
    this.#known = known;
    this.#found = [...outagesSeen(known.placements, known.looks, now()), ...(known.switched?.falls ?? [])];
    this.#answered = answersIn(known.looks);
    this.#document = known.document;
    this.#switched = known.switched?.seen ?? [];
    this.#leased = [
      ...actingUnder(known.leases, known.placements),
      ...known.unreadable.filter(isLeaseKey).map(unreadable),
    ];
  }

  seen(): StageLimits {
    const held = [...this.#leased, ...this.#switched];
    const claimed = this.#liveClaims().filter(
      ({ node }, index, live) =>
        !held.some((lease) => lease.node === node) &&
        !live.slice(0, index).some((one) => one.node === node && one.isDefrag), // Two claims on one node are one node.
    );
    return {
      limit: this.#known.limit,
      acting: [...held, ...claimed].map((one) => this.#inGroup(one)),
      falls: outagesAfter(this.#document.falls, this.#found, this.#answered, this.#now()),
    };
  }

  claim(lease: Lease, group?: Group): Promise<readonly StageBlocker[]> {
    const { node, holder, address, engine, phase, busyUntil } = lease;
    const isDefrag = phase !== 'purging';
    const own = { node, ...present({ address }) };
    const wanted = { ...own, ...present({ engine, group }) };
    const blockers = () => [
      ...stageBlockers(this.seen(), wanted, isDefrag, this.#now()),
      ...(isDefrag ? this.#unseen(lease) : []),
    ];
    const claim = { ...own, holder, isDefrag, until: busyUntil + CLOCK_SKEW, ...present({ group: group?.name }) };
    return this.#oneByOne(() => this.#claim(blockers, [claim]));
  }

  claimAll(nodes: readonly Switching[], { holder, busyUntil }: Pick<Lease, 'holder' | 'busyUntil'>) {
    const claims = nodes.map(({ node }) => ({ node, holder, isDefrag: true, until: busyUntil + CLOCK_SKEW }));
    const blockers = () => [
      ...switchBlockers(this.seen(), nodes, this.#now()),
      ...nodes.flatMap((one) => this.#unseen(one)).slice(0, 1),
    ];
    return this.#oneByOne(() => this.#claim(blockers, claims));
  }

  note(falls: readonly (Outage | undefined)[]): Promise<void> {
    return this.#oneByOne(() => this.#note(falls));
  }

  release(node: string, holder: string): void {
    const isIts = (one: Held) => one.node === node && one.holder === holder;
    this.#leased = this.#leased.filter((one) => !isIts(one));
    for (const one of this.#document.claims) if (isIts(one)) this.#released.add(nameOf(one));
    this.#document = this.#withoutReleased(this.#document);
  }

  async #claim(blockersNow: () => readonly StageBlocker[], claims: readonly Claim[]): Promise<readonly StageBlocker[]> {
    const isOwn = (one: Claim) => claims.some(({ node, holder }) => one.node === node && one.holder === holder);
    for (let attempt = 0; attempt < TRIES; attempt++) {
      await this.#refresh();
      const blockers = blockersNow();
      if (blockers.length > 0) return blockers;
      if (await this.#write([...this.#liveClaims().filter((one) => !isOwn(one)), ...claims])) return [];
    }
    throw contended();
  }

  async #note(falls: readonly (Outage | undefined)[]): Promise<void> {
    this.#found.push(...falls.filter((fall) => fall !== undefined));
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const recent = this.#document.falls.filter((fall) => isRecent(fall, this.#now()));
      if (isSame(this.seen().falls, recent)) return;
      if (await this.#write(this.#liveClaims())) return;
      this.#document = this.#withoutReleased(await readStageDocument(this.#store));
    }
    throw contended();
  }

  /** In this order: what a claim has become by now stands among the leases. */
  async #refresh(): Promise<void> {
    this.#document = this.#withoutReleased(await readStageDocument(this.#store));
    const garbled: string[] = [];
    this.#leases = allHeld(leasesOf(await this.#store.list(LEASE), (key) => void garbled.push(key)));
    this.#leased = [...actingUnder(this.#leases, this.#known.placements), ...garbled.map(unreadable)];
    this.#switched = (await this.#known.switched?.now()) ?? [];
  }

  /** False: another job has changed it in between. */
  async #write(claims: readonly Claim[]): Promise<boolean> {
    const { falls } = this.seen();
    const { version, ...before } = this.#document;
    const after = encode(STAGE_KIND, { claims, falls }, before);
    const written = await this.#store.write(STAGE_DOCUMENT, after, version);
    if (written.stored) this.#document = { ...after, version: written.version };
    return written.stored;
  }

  #unseen(own: Pick<Lease, 'engine'>): readonly StageBlocker[] {
    return unseenBlockers(this.#leases, own, { ...this.#known, switched: this.#switched, now: this.#now() });
  }

  #liveClaims(): readonly Claim[] {
    return this.#document.claims.filter(({ until }) => until > this.#now());
  }

  #withoutReleased(read: StageDocument): StageDocument {
    return { ...read, claims: read.claims.filter((one) => !this.#released.has(nameOf(one))) };
  }

  /** By what is known of the node now. What was said when it was taken counts where nothing is. */
  #inGroup(one: Held): Held {
    const group = this.#known.groups?.get(one.node);
    return group === undefined ? one : { ...one, group };
  }
}
