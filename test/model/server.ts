import { identifyEngine } from '../../core/adapters/redis/engine.ts';
import { MIB, SECOND } from '../../core/config/units.ts';
import type { Observation, Settings } from '../../core/domain/observation.ts';
import { anObservation, SETTINGS } from '../support/builders.ts';
import { costsOf } from './costs.ts';

/** Who has given a setting the value that it holds. */
export type Owner = 'file' | 'human' | 'job';

/** What a server reads from its file at each start. */
const FILE = SETTINGS;

/** Bytes a second that a defrag moves, and how many of them are left as holes. */
const DEFRAG_RATE = 30 * MIB;
const NEVER_CLOSED = 0.01;
/** Of them, the CPU share that the rate belongs to, and how many keys a second of scanning passes. */
const RATED_CPU = 25;
const KEYS = 100_000;
const SCAN_RATE = 50_000;
/** Of the server's own LATENCY monitor (latency.h LATENCY_TS_LEN). */
const HISTORY = 160;
/** What jemalloc's background thread leaves after its decay of ten seconds. */
const DECAY: number = 10 * SECOND;

export interface ServerTraits {
  readonly version: string;
  readonly role: 'primary' | 'replica';
  /** Whether free pages leave by themselves. */
  readonly backgroundThread: boolean;
  /** A build with the system's jemalloc. */
  readonly refusesDefrag?: boolean;
  /** AWS' own: it refuses CONFIG to all others. */
  readonly isManaged?: boolean;
  /** INFO without `used_cpu_*`. */
  readonly hidesCpu?: boolean;
}

/** What others ask of a server: commands per second, and the main thread's milliseconds that each of them takes. */
export interface Traffic {
  readonly opsPerSecond: number;
  readonly cost: number;
}

export const QUIET: Traffic = { opsPerSecond: 10, cost: 0.1 };
/** 80 % of the main thread, by commands of which no limit on their number would know. */
export const HEAVY: Traffic = { opsPerSecond: 100, cost: 8 };
/** Four times what a limit of 1,000 commands allows, and 8 % of the main thread. */
export const MANY: Traffic = { opsPerSecond: 4000, cost: 0.02 };

type Owed = Record<string, { readonly value: string; readonly owner: Owner }>;

interface ConfigFile {
  readonly settings: Record<string, string>;
  readonly owners: Record<string, Owner>;
  readonly owed: Owed;
}

function ownersOf(settings: Settings): Record<string, Owner> {
  return Object.fromEntries(Object.keys(settings).map((name) => [name, 'file']));
}

/** What clients have waited for, in ms, while only the job had a say in it. */
export interface Wait {
  readonly kind: 'cycle' | 'purge';
  readonly at: number;
  readonly took: number;
}

/** serverCron has come at least once in so long, whatever `hz` is. */
const CRON: number = SECOND;
/** A purge keeps so much. */
const KEPT_BY_PURGE = MIB;

interface Owners {
  readonly owners: Record<string, Owner>;
  readonly owed: Owed;
  /** What the job had set where a human has typed another value since, and nobody has looked yet. */
  readonly hidden: Record<string, { readonly value: string; readonly owed: NonNullable<Owed[string]> }>;
}

/** A human who types the value that the job has set changes nothing that anybody could see. */
function setByHuman(
  { owners, owed, hidden }: Owners,
  name: string,
  value: string,
  before: NonNullable<Owed[string]>,
): void {
  if (before.value === value) return;
  const earlier = hidden[name];
  // Nor does one who types another value and then that one again, while nobody looks.
  if (earlier?.value === value) {
    owners[name] = 'job';
    owed[name] = earlier.owed;
    delete hidden[name];
    return;
  }
  const prior = owed[name];
  if (before.owner === 'job' && prior) hidden[name] = { value: before.value, owed: prior };
  owners[name] = 'human';
  delete owed[name];
}

/** A process that calls itself Redis: memory that fragments and heals by the clock, and settings with owners. */
export function aServer(name: string, traits: ServerTraits, startedAt: number) {
  const server = {
    traits,
    /** What it has where nobody sets anything. */
    factory: FILE as Settings,
    role: traits.role as 'primary' | 'replica',
    startedAt,
    run: 1,
    /** What it reads at its start, and who has given each setting the value that stands there. */
    file: { settings: FILE, owners: ownersOf(FILE), owed: {} } as ConfigFile,
    /** CONFIG REWRITEs since its start. */
    rewrites: 0,
    settings: { ...FILE } as Record<string, string>,
    owners: ownersOf(FILE),
    /** What the job found when it last took a setting: what has to come back. */
    owed: {} as Owed,
    hidden: {} as Owners['hidden'],
    allocated: 400 * MIB,
    holes: 4 * MIB,
    pages: 4 * MIB,
    pagesSince: startedAt,
    reachable: true,
    /** CONFIG SET is denied to the job. */
    deniesConfig: false,
    /** It does what it is asked for, and answers with what is no RESP; or it refuses everything. */
    answersWith: undefined as 'garbage' | 'errors' | undefined,
    /** Its MEMORY PURGE is carried out, and keeps the server from answering for as long as whoever asked waits. */
    hangsInPurge: false,
    /** Milliseconds of silence after which it hangs up (`timeout`); 0: never. */
    idleTimeout: 0,
    lazyfreePending: 0,
    /** The next CONFIG SET is on its way for longer than anybody waits, and is carried out when it arrives. */
    delaysNext: false,
    underWay: [] as (() => void)[],
    forking: false,
    /** How long the longest of its defrag cycles takes, in ms; 0: too short to be recorded. */
    cycleTook: 0,
    cycles: [] as readonly { readonly at: number; readonly took: number }[],
    /** What no law has looked at yet. */
    waits: [] as Wait[],
    scannedKeys: 0,
    ...(QUIET as { opsPerSecond: number; cost: number }),
    commands: 1000,
    cpuSeconds: 10,
    hits: 0,
    misses: 0,
  };

  const costs = costsOf(name);
  const isOfJob = () =>
    server.owners.activedefrag === 'job' &&
    !['hz', 'active-defrag-cycle-max'].some((setting) => server.owners[setting] === 'human');
  /** Of the process, under whatever address it answers. */
  const runId = () => `${name}-${server.run}`.padEnd(40, '0');
  const isOn = () => server.settings.activedefrag === 'yes';
  const trafficCpu = () => (server.opsPerSecond * server.cost) / 10;
  const isMoving = () => isOn() && server.holes > NEVER_CLOSED * server.allocated;
  const cycleMax = () => Number(server.settings['active-defrag-cycle-max']);
  const defragCpu = () => (isMoving() ? cycleMax() : 0);

  /** What the server's own defrag does in so long. */
  function defragFor(duration: number, now: number): void {
    if (duration >= CRON && isMoving() && isOfJob()) {
      const took = costs.cycle(server.settings, (100 * server.holes) / server.allocated);
      server.waits.push({ kind: 'cycle', at: now, took });
    }
    const closable = server.holes - NEVER_CLOSED * server.allocated;
    const moved = Math.max(0, Math.min(closable, (((DEFRAG_RATE * cycleMax()) / RATED_CPU) * duration) / SECOND));
    server.scannedKeys += Math.floor((SCAN_RATE * duration) / SECOND);
    const at = Math.floor(now / SECOND);
    if (server.cycleTook > 0 && server.cycles.at(-1)?.at !== at)
      server.cycles = [...server.cycles, { at, took: server.cycleTook }].slice(-HISTORY);
    server.holes -= moved;
    server.hits += Math.ceil(moved / 1024);
    server.misses += Math.ceil(duration / 10);
    if (moved > 0) Object.assign(server, { pages: server.pages + moved, pagesSince: now });
  }

  return Object.assign(server, {
    isOn,
    runId,
    /** What others take of the main thread, in percent. */
    trafficCpu,
    refusal: ({ activedefrag }: Settings) =>
      server.deniesConfig || traits.isManaged
        ? 'NOPERM this user has no permissions'
        : activedefrag === 'yes' && traits.refusesDefrag
          ? 'ERR Active defragmentation cannot be enabled'
          : undefined,
    meaningOf({ activedefrag }: Settings) {
      if (activedefrag === undefined || activedefrag === server.settings.activedefrag) return 'set';
      return activedefrag === 'yes' ? 'defrag-on' : 'defrag-off';
    },
    /** Settings that the job has changed and nobody else since. */
    taken: () => Object.keys(server.owners).filter((name) => server.owners[name] === 'job'),

    pass(duration: number, now: number): void {
      server.commands += (server.opsPerSecond * duration) / SECOND;
      const share = Math.min(100, trafficCpu() + (server.forking ? 0 : defragCpu()));
      server.cpuSeconds += ((share / 100) * duration) / SECOND;
      if (isOn() && !server.forking) defragFor(duration, now);
      else if (server.traits.backgroundThread && now - server.pagesSince > DECAY)
        server.pages = Math.min(server.pages, 4 * MIB);
    },

    fragment(bytes: number): void {
      server.holes += bytes;
    },

    retain(bytes: number, now: number): void {
      server.pages += bytes;
      server.pagesSince = now;
    },

    /** MEMORY PURGE: how long it has kept everybody waiting, in ms. */
    purge(now: number): number {
      const took = costs.purge(Math.max(0, server.pages - KEPT_BY_PURGE) / 2 ** 30);
      server.pages = Math.min(server.pages, KEPT_BY_PURGE);
      server.waits.push({ kind: 'purge', at: now, took });
      return took;
    },

    restart(now: number): void {
      server.run++;
      server.startedAt = now;
      Object.assign(server, structuredClone(server.file));
      Object.assign(server, {
        rewrites: 0,
        hidden: {},
        holes: 4 * MIB,
        pages: 4 * MIB,
        hits: 0,
        misses: 0,
        scannedKeys: 0,
        cycles: [],
        commands: 0,
        cpuSeconds: 0,
      });
      server.forking = false;
    },

    /** CONFIG REWRITE: by an operator, or by Sentinel at a failover. */
    rewrite(): void {
      const { settings, owners, owed } = server;
      server.file = structuredClone({ settings, owners, owed });
      server.rewrites++;
    },

    countsRewrites: () => !traits.version.startsWith('6.'),

    set(name: string, value: string, owner: Owner): void {
      const before = { value: server.settings[name] ?? '', owner: server.owners[name] ?? 'file' };
      server.settings[name] = value;
      if (owner === 'human') {
        setByHuman(server, name, value, before);
        return;
      }
      delete server.hidden[name];
      if (before.owner !== 'job') {
        if (before.value === value) return;
        server.owners[name] = 'job';
        server.owed[name] = before;
      } else if (value === server.owed[name]?.value) {
        // What holds its old value again is given back to whom it belonged.
        server.owners[name] = server.owed[name].owner;
        delete server.owed[name];
      }
    },

    look(node: string, now: number, ownCommands: number): Observation {
      server.hidden = {};
      const active = server.allocated + server.holes;
      return anObservation({
        node,
        at: now,
        engine: identifyEngine(
          new Map([
            ['redis_version', server.traits.version],
            ['role', server.role === 'replica' ? 'slave' : 'master'],
          ]),
        ),
        runId: runId(),
        uptime: now - server.startedAt,
        keys: KEYS,
        memory: {
          memAllocator: 'jemalloc-5.3.0',
          usedMemory: server.allocated,
          allocatorAllocated: server.allocated,
          allocatorActive: active,
          allocatorResident: active + server.pages,
          allocatorFragBytes: server.holes,
          lazyfreePendingObjects: server.lazyfreePending,
          usedMemoryRss: active + server.pages + 10 * MIB,
        },
        activity: {
          totalCommandsProcessed: Math.floor(server.commands) + ownCommands,
          instantaneousOpsPerSec: server.opsPerSecond,
          ownCommands,
          ...(!traits.hidesCpu && { cpuSeconds: server.cpuSeconds }),
        },
        persistence: { loading: false, rdbBgsaveInProgress: server.forking, aofRewriteInProgress: false },
        replication: {
          role: server.role,
          replicasSyncing: 0,
          ...(server.role === 'replica' && { primaryLinkUp: true }),
        },
        defrag: {
          ...(!traits.isManaged && { settings: { ...server.settings } }),
          running: defragCpu(),
          hits: server.hits,
          misses: server.misses,
          scannedKeys: server.scannedKeys,
          cycles: server.cycles,
        },
        refused: traits.isManaged ? ['config|get', 'config|set'] : [],
      });
    },
  });
}

export type SimulatedServer = ReturnType<typeof aServer>;
