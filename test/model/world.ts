import { deduplicate } from '../../core/alerts/deduplicate.ts';
import { MINUTE, SECOND } from '../../core/config/units.ts';
import type { Alert } from '../../core/domain/alert.ts';
import type { Metric } from '../../core/domain/metric.ts';
import { present } from '../../core/domain/present.ts';
import { cacheLeases } from '../../core/leases/lease-cache.ts';
import { NodeFailure, type Session } from '../../core/ports/node-session.ts';
import type { ParameterGroups } from '../../core/ports/parameter-groups.ts';
import type { Ports } from '../../core/ports/ports.ts';
import type { AlertSink } from '../../core/ports/sinks.ts';
import type { JobStore, Stored } from '../../core/ports/state-store.ts';
import { dispatch } from '../../core/reconcile/dispatch.ts';
import { pollLeases } from '../../core/reconcile/poll-leases.ts';
import { type TickOptions, WHOLE_FLEET } from '../../core/reconcile/scope.ts';
import { MaintenanceFailed } from '../../core/reconcile/summary.ts';
import { tick } from '../../core/reconcile/tick.ts';
import { work } from '../../core/reconcile/work.ts';
import { GROUP_LEASE } from '../../core/state/keys.ts';
import { configOf } from '../support/job.ts';
import { mulberry32 } from '../support/random.ts';
import { aCloud, type Call, type CloudOfModel, cachesIn } from './caches.ts';
import { type Change, isGroupOver, judgeChange, judgeChanged } from './caches-laws.ts';
import {
  CACHES,
  FLEET,
  fleetYaml,
  type InstanceOfModel,
  MAX_AT_ONCE,
  MAX_AT_ONCE_WITH_FOUND,
  NAMED,
  nodeName,
} from './fleet.ts';
import { aGroup, discovered, type GroupOfModel, remember } from './group.ts';
import { aServer, type SimulatedServer } from './server.ts';
import { aStore } from './store.ts';

/** What the job has done to a server, with what was true at that moment. */
export interface Deed {
  readonly kind: 'defrag-on' | 'defrag-off' | 'purge' | 'set';
  readonly at: number;
  /** The address, and the server that answered there. */
  readonly node: string;
  readonly server: string;
}

/** One invocation: it may be killed before or after its n-th effect, and is then never heard of again. */
interface Invocation {
  readonly holder: string;
  readonly container: number;
  effects: number;
  readonly fatal?: { readonly effect: number; readonly when: 'before' | 'after' };
  /** What somebody else does right before its n-th effect. */
  readonly meanwhile?: { readonly effect: number; step(): unknown };
  dead: boolean;
  /** Of its own: what another job waits for, as a file that is compressed, takes no number from it. */
  readonly random: () => number;
  readonly died: () => void;
}

export interface Delivery {
  readonly at: number;
  readonly alert: Alert;
}

const NEVER = new Promise<never>(() => {});

export type Judge = (world: World, deed: Deed, server: SimulatedServer, settings: Record<string, string>) => void;

/** What the invariants look at. */
export interface World {
  readonly now: number;
  readonly servers: ReadonlyMap<string, SimulatedServer>;
  readonly answering: ReadonlyMap<string, string>;
  readonly documents: ReadonlyMap<string, { readonly value: unknown }>;
  readonly deeds: readonly Deed[];
  readonly deliveries: readonly Delivery[];
  readonly published: readonly Metric[];
  readonly violations: string[];
  /** How often a law had something to hold. */
  readonly applied: Map<string, number>;
  readonly trouble: { readonly failures: number; readonly down: boolean };
  /** Settings that were a human's when the job set them, in this tick. */
  readonly overwritten: {
    readonly server: SimulatedServer;
    readonly name: string;
    readonly theirs: string;
    readonly deed: Deed;
  }[];
  readonly lastDeath: number;
  readonly deaths: number;
  /** Servers that have restarted while our defrag was on. */
  readonly falls: {
    readonly node: string;
    readonly version: string;
    readonly at: number;
    readonly until: number;
    /** Its defrag was being ended: what befalls it then is stored by nobody. */
    readonly isEnding: boolean;
  }[];
  /** Addresses have led elsewhere at some time. */
  readonly hasMoved: boolean;
  /** The table was lost, or restored from a backup, at some time. */
  readonly hasLostTable: boolean;
  /** Nodes with settings of ours without a lease, and since when no tick has told of them. */
  readonly unrecognised: Map<string, number>;
  readonly topic: { readonly isDown: boolean };
  /** That are at work now. */
  readonly workers: number;
  /** When the last dispatch began. */
  readonly dispatchedAt: number;
  /** How often two jobs have run at once. */
  readonly overlaps: number;
  /** Leases of a defrag that were dropped, and when. */
  readonly runsEnded: readonly { readonly node: string; readonly at: number }[];
  /** The store has taken no writes at some time. */
  readonly wasReadOnly: boolean;
  readonly group: GroupOfModel;
  readonly cloud: CloudOfModel;
  /** When the job has switched the parameter group on. */
  readonly groupRuns: readonly number[];
  /** How many nodes of the stage may be under defrag. */
  readonly maxAtOnce: number;
}

/**
 * Servers, a store, sinks and a clock, and the real job between them. `judge` sees every deed before it is done. `found`: instances whose
 * nodes a discovery finds.
 */
export function aWorld(startsAt: number, random: () => number, judge: Judge, found: readonly InstanceOfModel[] = []) {
  const { store, trouble, documents } = aStore();
  const servers = new Map<string, SimulatedServer>(
    [...FLEET, ...found].flatMap((instance) =>
      instance.nodes.map((traits, index) => {
        const name = nodeName(instance.id, index);
        return [name, aServer(name, traits, startsAt - 60 * MINUTE)] as const;
      }),
    ),
  );
  const cloud = aCloud(random() < 0.7 ? 'elasticache' : 'memorydb', servers);
  const world = {
    now: startsAt,
    config: configOf(fleetYaml(NAMED, found, cloud.service)),
    cloud,
    groupRuns: [] as number[],
    group: aGroup(),
    maxAtOnce: found.length > 0 ? MAX_AT_ONCE_WITH_FOUND : MAX_AT_ONCE,
    servers,
    /** Which server answers at which address: a failover of an address exchanges two. */
    answering: new Map([...servers.keys()].map((name) => [name, name])),
    store,
    trouble,
    documents,
    topic: { isDown: false },
    deeds: [] as Deed[],
    deliveries: [] as Delivery[],
    published: [] as Metric[],
    logs: [] as unknown[],
    violations: [] as string[],
    applied: new Map<string, number>(),
    overwritten: [] as World['overwritten'][number][],
    lastDeath: 0,
    deaths: 0,
    falls: [] as World['falls'][number][],
    hasMoved: false,
    hasLostTable: false,
    unrecognised: new Map<string, number>(),
    backup: [] as (readonly [string, Stored])[],
    invocations: 0,
    wasReadOnly: false,
    overlaps: 0,
    workers: 0,
    /** Of the last dispatch, and when it began. */
    letters: [] as readonly string[],
    dispatchedAt: 0,
    runsEnded: [] as World['runsEnded'][number][],
    /** Of the job: invocations take turns in them, and each remembers what it has seen of leases, and the alerts that it has sent. */
    containers: [aContainer(), aContainer()],
    effects: 0,
  };

  function aContainer() {
    let send: AlertSink['send'];
    const alerts = deduplicate({ send: (them) => send(them) }, { now: () => world.now });
    return {
      leases: cacheLeases(store),
      topicOf: (by: AlertSink['send']): AlertSink => {
        send = by;
        return alerts;
      },
    };
  }

  function pass(duration: number): void {
    world.now += duration;
    for (const server of servers.values()) server.pass(duration, world.now);
    cloud.pass(world.now);
  }

  /** Every step of the job to the outside goes through here: others may come in between, or the end. */
  async function effect<T>(invocation: Invocation, step: () => T | Promise<T>): Promise<T> {
    if (invocation.dead) return await NEVER;
    for (let turns = Math.floor(invocation.random() * 3); turns > 0; turns--)
      await new Promise((resolve) => setImmediate(resolve));
    if (invocation.dead) return await NEVER;
    world.effects++;
    const nth = ++invocation.effects;
    if (nth === invocation.meanwhile?.effect) await invocation.meanwhile.step();
    if (invocation.dead) return await NEVER;
    const isFatal = (when: 'before' | 'after') => invocation.fatal?.effect === nth && invocation.fatal.when === when;
    if (isFatal('before')) return await die(invocation);
    try {
      return await step();
    } finally {
      // Of an effect that failed as well.
      if (isFatal('after')) await die(invocation);
    }
  }

  function die(invocation: Invocation): Promise<never> {
    invocation.dead = true;
    world.containers[invocation.container] = aContainer();
    world.lastDeath = world.now;
    world.deaths++;
    invocation.died();
    return NEVER;
  }

  function serverAt(node: string): SimulatedServer {
    const server = servers.get(world.answering.get(node) ?? node);
    if (!server?.reachable) throw new NodeFailure('unreachable', `${node} cannot be reached: ECONNREFUSED`);
    return server;
  }

  /** Off and on again at another pace: the run goes on, and is neither ended nor started. */
  function isRepacing(node: string): boolean {
    const leases = [...documents.values()].map(
      ({ value }) => value as { readonly node?: string; readonly repacing?: true },
    );
    return leases.some((lease) => lease.node === node && lease.repacing === true);
  }

  function sessionOn(node: string, invocation: Invocation): Session {
    let sent = 3;
    let lastUsedAt = world.now;
    const on = <T>(run: (server: SimulatedServer) => T) =>
      effect(invocation, () => {
        sent++;
        const silence = world.now - lastUsedAt;
        pass(1);
        lastUsedAt = world.now;
        const server = serverAt(node);
        if (server.idleTimeout > 0 && silence > server.idleTimeout)
          throw new NodeFailure('unreachable', `${node}: the connection was closed`);
        if (server.answersWith === 'errors') throw new NodeFailure('refused', `${node} refuses: BUSY`);
        const answer = run(server);
        if (server.answersWith) throw new NodeFailure('not-redis', `${node} answers, but not in the protocol of Redis`);
        return answer;
      });
    const deed = (server: SimulatedServer, kind: Deed['kind'], settings: Record<string, string> = {}) => {
      const done: Deed = { kind, at: world.now, node, server: world.answering.get(node) ?? node };
      judge(world, done, server, settings);
      if (kind !== 'set') world.deeds.push(done);
    };
    return {
      look: () => on((server) => server.look(node, world.now, sent)),
      examine: () => on(() => ({ modules: [] })),
      waits: (duration) =>
        on(() => {
          pass(duration);
          return [0.2];
        }),
      inquire: () => on(() => ({ rights: {}, waits: [] })),
      clusterLines: () => Promise.reject(new Error('no server of the model is in a Cluster')),
      rewrites: () =>
        on(({ countsRewrites, rewrites }) => ({ hasFile: true, ...(countsRewrites() && { calls: rewrites }) })),
      keys: () => Promise.reject(new Error('no job draws keys')),
      keepAlive: () => on(() => undefined),
      probeDefrag: () => on(({ traits }) => (traits.refusesDefrag ? 'unsupported' : 'supported')),
      configure: (settings) =>
        on((server) => {
          const found = Object.fromEntries(Object.keys(settings).map((name) => [name, server.settings[name] ?? '']));
          const error = server.refusal(settings);
          if (error !== undefined) return { done: false, found, applied: {}, error };
          const carryOut = () => {
            deed(server, isRepacing(node) ? 'set' : server.meaningOf(settings), { ...settings });
            for (const [name, value] of Object.entries(settings)) server.set(name, value, 'job');
          };
          if (server.delaysNext) {
            server.delaysNext = false;
            server.underWay.push(carryOut);
            throw new NodeFailure('timeout', `${node} did not answer`);
          }
          carryOut();
          return { done: true, found };
        }),
      purge: () =>
        on((server) => {
          deed(server, 'purge');
          const blocked = server.purge(world.now);
          if (server.hangsInPurge) throw new NodeFailure('timeout', `${node} did not answer`);
          return { done: true, blocked };
        }),
      close: () => undefined,
    };
  }

  function groupsFor(invocation: Invocation): ParameterGroups {
    const asked = <T>(kind: Call, step: () => T) => effect(invocation, () => cloud.call(kind, world.now, step));
    // Judged as it is sent: a job cannot know what is when a late call arrives.
    const changed = (kind: Call, one: Omit<Change, 'holder'>, carryOut: () => void) =>
      effect(invocation, () => {
        const made = { ...one, holder: invocation.holder };
        judgeChange(world, made);
        return cloud.call(kind, world.now, () => {
          if (one.set?.activedefrag === 'yes') world.groupRuns.push(world.now);
          carryOut();
          judgeChanged(world, made);
        });
      });
    return {
      read: ({ group }) => asked('read', () => cloud.read(group)),
      users: ({ group }) => asked('users', () => cloud.users(group)),
      set: ({ group }, set) => changed('set', { group, set }, () => cloud.set(set, world.now)),
      reset: ({ group }, reset) => changed('reset', { group, reset }, () => cloud.reset(reset, world.now)),
    };
  }

  function portsOf(invocation: Invocation): Ports {
    const through = <T>(step: () => Promise<T>) => effect(invocation, step);
    const container = world.containers[invocation.container] ?? aContainer();
    const remembering = container.leases;
    const guarded: JobStore = {
      list: (prefix) => through(() => remembering.list(prefix)),
      read: (key) => through(() => remembering.read(key)),
      readAll: (keys) => through(() => remembering.readAll(keys)),
      write: (key, value, expected) => through(() => remembering.write(key, value, expected)),
      remove: (key, expected) =>
        through(() => {
          const { node, phase } = (documents.get(key)?.value ?? {}) as {
            readonly node?: string;
            readonly phase?: string;
          };
          if (key.startsWith(GROUP_LEASE)) isGroupOver(world);
          if (key.startsWith('lease#') && node && phase !== 'purging') world.runsEnded.push({ node, at: world.now });
          return remembering.remove(key, expected);
        }),
      ...(remembering.lastKnownLeases && { lastKnownLeases: remembering.lastKnownLeases }),
    };
    const note = (message: string, fields?: unknown) => void world.logs.push({ message, fields });
    const wait = (duration: number) => effect(invocation, () => pass(duration));
    return {
      discover: ({ id }) =>
        effect(invocation, () => (id === CACHES.id ? cachesIn(cloud) : discovered(world.group, world))),
      parameterGroups: async () => groupsFor(invocation),
      open: (_, node) =>
        effect(invocation, () => {
          serverAt(node.id);
          return sessionOn(node.id, invocation);
        }),
      store: guarded,
      clock: { now: () => world.now, sleep: wait, pause: wait },
      log: { info: note, warn: note, error: note },
      metrics: {
        publish: (metrics) => effect(invocation, () => ({ sent: world.published.push(...metrics), rejected: [] })),
      },
      alerts: container.topicOf((alerts) =>
        effect(invocation, () => {
          if (world.topic.isDown)
            return { sent: 0, rejected: alerts.map(({ title }) => ({ what: title, why: '503' })) };
          world.deliveries.push(...alerts.flatMap(eventsIn).map((alert) => ({ at: world.now, alert })));
          return { sent: alerts.length, rejected: [] };
        }),
      ),
    };
  }

  /** One tick, or with `follows` a whole invocation of the function. False: it was killed. */
  async function run(
    fatal?: Invocation['fatal'],
    { follows = false, ...options }: Partial<TickOptions> & { readonly follows?: boolean } = {},
    meanwhile?: Invocation['meanwhile'],
  ): Promise<boolean> {
    const one = follows ? pollLeases : tick;
    return await invoke(
      (ports, own) => one(world.config, ports, { mode: 'act', scope: WHOLE_FLEET, ...own, ...options }),
      { ...present({ fatal, meanwhile }), lasts: 14 * MINUTE },
    );
  }

  /** A dispatch hands the fleet out. Returns a letter for each instance of the config; none where it was killed. */
  async function handOut(fatal?: Invocation['fatal']): Promise<readonly string[]> {
    const letters: string[] = [];
    world.dispatchedAt = world.now;
    const send = (bodies: readonly { readonly body: string }[]) => ({
      sent: letters.push(...bodies.flatMap(({ body }) => torn(body))),
      rejected: [],
    });
    await invoke((ports, own) => dispatch(world.config, ports, { send: async (bodies) => send(bodies) }, own), {
      ...present({ fatal }),
      lasts: 14 * MINUTE,
    });
    return letters;
  }

  /** A worker gets a letter, and has no time to follow what it starts. */
  async function deliver(letter: string, fatal?: Invocation['fatal']): Promise<boolean> {
    world.workers++;
    const isAlive = await invoke((ports, own) => work(letter, world.config, ports, own).catch(isReported), {
      ...present({ fatal }),
      lasts: 59 * SECOND,
    });
    world.workers--;
    return isAlive;
  }

  async function invoke(
    job: (ports: Ports, own: Pick<TickOptions, 'holder' | 'remaining'>) => Promise<unknown>,
    { lasts, ...more }: Pick<Invocation, 'fatal' | 'meanwhile'> & { readonly lasts: number },
  ): Promise<boolean> {
    const holder = `tick-${++world.invocations}`;
    const isWell = () =>
      !trouble.down && !trouble.readOnly && !trouble.losesNext && !trouble.failsOn && !trouble.answerLostOn;
    const wasWell = isWell();
    const isAlive = await new Promise<boolean>((resolve, reject) => {
      const invocation: Invocation = {
        holder,
        container: world.invocations % 2,
        effects: 0,
        dead: false,
        died: () => resolve(false),
        random: randomFrom(random()),
        ...more,
      };
      const startedAt = world.now;
      const remaining = () => lasts - (world.now - startedAt);
      job(portsOf(invocation), { holder, remaining }).then(() => resolve(true), reject);
    });
    remember(world, isAlive && wasWell && isWell());
    return isAlive;
  }

  return Object.assign(world, { pass, run, handOut, deliver });
}

/** A directed test has zeros, and waits for no turn. */
function randomFrom(number: number): () => number {
  return number === 0 ? () => 0 : mulberry32(number * 2 ** 32);
}

/** A fleet of the model is one message: a large fleet has many. Shards of a Cluster stay together. */
function torn(body: string): readonly string[] {
  const batch = JSON.parse(body) as { readonly instances: readonly { readonly id: string }[] };
  const parts = [...Map.groupBy(batch.instances, ({ id }) => id).values()];
  return parts.map((instances, number) => JSON.stringify({ ...batch, instances, number }));
}

/** What a worker throws after its report: a store that fails. */
function isReported(error: unknown): void {
  if (!(error instanceof MaintenanceFailed)) throw error;
}

/** A digest tells each of its members. */
function eventsIn(alert: Alert): readonly Alert[] {
  return alert.members?.map((member) => ({ ...alert, ...member })) ?? [alert];
}

export type LiveWorld = ReturnType<typeof aWorld>;
