import type { ManagedService } from '../../core/config/iam.ts';
import { MINUTE } from '../../core/config/units.ts';
import type { WindowOfModel } from './calendar.ts';
import type { ServerTraits } from './server.ts';

/** What the invariants know of an instance, apart from the config that is written of it. */
export interface InstanceOfModel {
  readonly id: string;
  readonly window: WindowOfModel;
  readonly nodes: readonly ServerTraits[];
  /** The second limit of load, where it has one. */
  readonly maxOps?: number;
  /** Where its node is, if not on a host of its own. */
  readonly host?: string;
}

const plain = { version: '7.0.15', role: 'primary', backgroundThread: true } as const;

/** Windows inside the skipped and the repeated hour, one over midnight; a group; a version on the deny-list; one that takes
 * settings one at a time, and has a limit on commands; a build that refuses, and does not report its CPU; a second server of a host. */
export const FLEET: readonly InstanceOfModel[] = [
  {
    id: 'solo',
    window: { zone: 'Europe/Berlin', start: '02:30', hours: 2 },
    nodes: [{ ...plain, backgroundThread: false }],
  },
  {
    id: 'trio',
    window: { zone: 'America/New_York', start: '22:00', hours: 5 },
    nodes: [plain, { ...plain, role: 'replica', backgroundThread: false }, { ...plain, role: 'replica' }],
  },
  {
    id: 'denied',
    window: { zone: 'UTC', start: '01:00', hours: 6 },
    nodes: [{ ...plain, version: '7.2.4', backgroundThread: false }],
  },
  {
    id: 'old',
    window: { zone: 'UTC', start: '22:30', hours: 5 },
    nodes: [{ ...plain, version: '6.2.14' }],
    maxOps: 1000,
  },
  {
    id: 'debian',
    window: { zone: 'UTC', start: '23:30', hours: 4 },
    nodes: [{ ...plain, refusesDefrag: true, hidesCpu: true }],
  },
  {
    id: 'beside',
    window: { zone: 'UTC', start: '22:00', hours: 9 },
    nodes: [{ ...plain, backgroundThread: false }],
    host: 'solo-0.redis.example',
  },
];

/**
 * A Cluster whose nodes a discovery finds: servers 0 to 4 in three shards, and one that may join. Two versions, as while it is upgraded: what
 * befalls one of them is no reason of the stage against the other.
 */
export const CART: InstanceOfModel = {
  id: 'cart',
  window: { zone: 'Europe/Berlin', start: '00:00', hours: 6 },
  nodes: [
    plain,
    { ...plain, role: 'replica', backgroundThread: false },
    { ...plain, version: '7.0.14' },
    { ...plain, version: '7.0.14', role: 'replica', backgroundThread: false },
    { ...plain, backgroundThread: false },
    { ...plain, version: '7.0.14', role: 'replica' },
  ],
};

/** Nodes of ElastiCache or MemoryDB that refuse CONFIG: one parameter group switches both of them. */
export const CACHES: InstanceOfModel = {
  id: 'caches',
  window: { zone: 'UTC', start: '23:00', hours: 6 },
  nodes: [
    { ...plain, version: '7.0.14', isManaged: true, backgroundThread: false },
    { ...plain, isManaged: true },
  ],
};

export const EVERY_INSTANCE_OF_MODEL: readonly InstanceOfModel[] = [...FLEET, CART, CACHES];

/** Of the stage, without what is found and with it. More are under way together in some hours of most nights. */
export const MAX_AT_ONCE = 2;
export const MAX_AT_ONCE_WITH_FOUND = 3;
/** Of the Cluster. */
export const MAX_SHARDS_AT_ONCE = 2;

/** `maxDuration` of the fleet. */
export const LONGEST: number = 30 * MINUTE;

export const MAX_STALL = 5;
export const MAX_BLOCK = 200;
export const MAX_CPU = 40;
/** Where neither the CPU is reported nor a limit is set. */
export const OPS_WITHOUT_CPU = 1000;

export function nodeName(instance: string, index: number): string {
  const host = FLEET.find(({ id }) => id === instance)?.host;
  return host === undefined ? `${instance}-${index}.redis.example:6379` : `${host}:${6380 + index}`;
}

export type NamedInstance = Pick<InstanceOfModel, 'id' | 'window' | 'maxOps'> & { readonly nodes: readonly string[] };

export const NAMED: readonly NamedInstance[] = FLEET.map(({ nodes, ...instance }) => ({
  ...instance,
  nodes: nodes.map((_, index) => nodeName(instance.id, index)),
}));

/** The same nodes under other names: `trio` may be called something else, be split, or be merged with another instance. */
export function fleetYaml(
  fleet: readonly NamedInstance[] = NAMED,
  found: readonly InstanceOfModel[] = [],
  service: ManagedService = 'elasticache',
): string {
  const instances = fleet.map(
    ({ id, window, nodes, maxOps }) => `
  - id: ${id}
    timezone: ${window.zone}
    windows: [{ days: daily, start: "${window.start}", duration: ${window.hours}h }]
    nodes: [${nodes.map((name) => `redis://${name}`).join(', ')}]${
      maxOps === undefined ? '' : `\n    maxOpsPerSecond: ${maxOps}`
    }`,
  );
  return `
defaults:
  purge: { minReclaim: 64MiB, maxBlock: ${MAX_BLOCK}ms, cooldown: 30m }
  defrag: { minReclaim: 64MiB, maxStall: ${MAX_STALL}ms, maxDuration: 30m, cooldown: 30m }
  maxMainThreadCpu: ${MAX_CPU}%
maxDefragsAtOnce: ${found.length > 0 ? MAX_AT_ONCE_WITH_FOUND : MAX_AT_ONCE}
instances:${instances.join('')}${found.map((one) => foundYaml(one, service)).join('')}
`;
}

function foundYaml({ id, window }: InstanceOfModel, service: ManagedService): string {
  const how =
    id === CART.id
      ? `maxShardsAtOnce: ${MAX_SHARDS_AT_ONCE}
    discover: { cluster: { seeds: [redis://seed.redis.example:6379] } }`
      : `defrag: { through: parameter-group }
    discover: { ${service}: { tags: { offpeak: "on" } } }`;
  return `
  - id: ${id}
    timezone: ${window.zone}
    windows: [{ days: daily, start: "${window.start}", duration: ${window.hours}h }]
    ${how}`;
}
