/**
 * Which server this is, and what its version is known for. Redis' relatives answer INFO with a `redis_version` of their own
 * choosing, so the more particular field is asked first.
 */
export type EngineName = 'redis' | 'valkey' | 'keydb' | 'dragonfly' | 'garnet' | 'unknown';

export interface Denial {
  readonly issue: string;
  readonly why: string;
  /** The version from which on nothing on the list applies to this node. */
  readonly fixedIn: string;
  /** No such release is known: there is nothing to upgrade to. */
  readonly unfixed?: true;
}

/** What a server says that it is. */
export interface Engine {
  readonly name: EngineName;
  /** As printed, e.g. `7.0.15`; empty where the server does not say. */
  readonly version: string;
  /** What an `unknown` engine calls itself, like `kvrocks`. Offpeak only watches it. */
  readonly calledItself?: string;
  /**
   * The managed service that runs it, by INFO's `os`, like `Amazon ElastiCache`. The engine beneath has patches of its own, and versions that
   * its project never released (Valkey 7.3 and 8.2): which fixes it has is unknown.
   */
  readonly service?: string;
  /**
   * Defragments in ~500 µs slices on a timer of its own, so that `hz` no longer determines the stall:
   * Redis ≥ 8.0 (redis#13814), Valkey ≥ 8.1 (valkey#1242).
   */
  readonly slicedDefrag: boolean;
  /**
   * Within a scan the defragger's CPU share can rise and not fall (defrag.c computeDefragCycles): it has to be switched off and on to
   * become gentler. Redis before 7.4 and Valkey before 8.0 (redis#13020).
   */
  readonly cpuOnlyRises?: true;
  /** The defragger reads its clock only after 512 hits: Valkey 8.1 (valkey#2421, fixed in 9.0 by #2553). */
  readonly coarseClock?: true;
  /** `CONFIG SET` takes several parameters at once, all or nothing: Redis ≥ 7.0, every Valkey. */
  readonly atomicConfigSet: boolean;
  /** Why switching active defrag on and off is known to crash or corrupt this version; absent where nothing is known. */
  readonly denied?: Denial;
}

/** `valkey 7.3.0 on Amazon MemoryDB`, `kvrocks 2.10.1`; `unknown` where the server says nothing of itself. */
export function engineText({ name, version, calledItself, service }: Engine): string {
  return `${`${calledItself ?? name} ${version}`.trim()}${service === undefined ? '' : ` on ${service}`}`;
}

/** Engines whose settings mean what Redis' do. */
export function isLikeRedis({ name }: Pick<Engine, 'name'>): boolean {
  return name === 'redis' || name === 'valkey' || name === 'keydb';
}
