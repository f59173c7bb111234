import * as z from 'zod/mini';
import { credentials, tls } from './access.ts';
import { type NodeAddress, nodeAddress } from './address.ts';
import { type Bound, bound } from './bound.ts';
import { holidays, timezone } from './calendar.ts';
import { discover } from './discover.ts';
import type { ManagedGroup } from './iam.ts';
import { defrag, purge, thresholds, window } from './policies.ts';
import { number, percent, size } from './quantities.ts';
import { byDefault, described, mapping, optional, text } from './scalar.ts';
import { stackKeys } from './stack.ts';
import type { Milliseconds } from './units.ts';

/** The id of an instance. */
export const instanceId = text(
  '^[a-z][a-z0-9-]{0,39}$',
  'a lower-case letter, then up to 39 letters, digits or hyphens',
);
const nodes = z
  .array(nodeAddress(), { error: 'a list of 1 to 100 addresses' })
  .check(
    z.minLength(1, { error: 'a list of 1 to 100 addresses' }),
    z.maxLength(100, { error: 'a list of 1 to 100 addresses' }),
  );

const settings = {
  tls: optional(tls, 'TLS options, for rediss: addresses.'),
  memoryLimit: optional(
    size({ min: 1, like: '6GiB' }),
    "The memory limit of the container, which INFO does not report. Without it, the machine's memory counts.",
  ),
  timezone: optional(timezone(), 'Zone of the windows, like Europe/Berlin. There is no default.'),
  windows: byDefault(
    [],
    z.array(window, { error: 'a list of windows; [] to observe only' }),
    'When Offpeak may act. [] means never: it only observes.',
  ),
  holidays: byDefault(
    [],
    holidays(),
    'Local dates, or ranges of them, on which no window opens. A window of the evening before stays open to its end.',
  ),
  purge: byDefault({}, purge, 'MEMORY PURGE: returns free pages of the allocator.'),
  defrag: byDefault(
    {},
    defrag,
    'Active defragmentation: returns memory that is free, but scattered over pages that also hold data.',
  ),
  maxMainThreadCpu: byDefault(
    40,
    percent({ min: 1, max: 100 }),
    "Above this CPU share of the server's main thread, the instance is too busy to act on, 1 to 100 %; 100 means never.",
  ),
  maxOpsPerSecond: optional(
    number({ min: 0, max: 10_000_000, whole: true }),
    'A second limit: above this many commands per second, the instance is too busy to act on, 0 to 10,000,000. There is no default.',
  ),
  maxShardsAtOnce: byDefault(
    '10%',
    bound(),
    'Of one discovered Cluster or replication group, at most this many shards are acted on at once: 1 to 100, or a share of its shards, at least one.',
  ),
  thresholds: byDefault({}, thresholds, 'When an alarm is raised.'),
  metrics: byDefault(
    'core',
    z.enum(['core', 'detailed'], { error: 'core or detailed' }),
    'How many CloudWatch metrics to publish; each costs money.',
  ),
};

/** The keys that instances share through `defaults`. */
const settingsSchema = mapping(settings);

const templateName = text('^[a-z][a-z0-9-]{0,39}$', 'a lower-case letter, then up to 39 letters, digits or hyphens');
const template = optional(templateName, 'The template whose values count where these are absent, before `defaults`.');

const templates = z.record(templateName, mapping({ template, ...settings }), {
  error: 'a mapping of templates by their names, each with the keys of `defaults`',
});

/** One instance, as written: `url` and `nodes` are still apart. */
export const instanceSchema = mapping({
  id: described(instanceId, 'Name of the instance in metrics and alerts; unique.'),
  url: optional(nodeAddress(), 'The one node of the instance. Exactly one of url, nodes and discover.'),
  nodes: optional(nodes, 'The nodes of one replication group, 1 to 100.'),
  discover: optional(discover, 'How its nodes are found at each tick. Exactly one of its keys.'),
  template,
  credentials: optional(credentials, 'How to sign in.'),
  ...settings,
});

/** The whole file. */
export const fileSchema = mapping({
  defaults: optional(settingsSchema, "What all instances share; an instance's own value wins."),
  templates: optional(templates, 'Values that some instances share, by name.'),
  instances: described(
    z
      .array(instanceSchema, { error: 'a list of at least one instance' })
      .check(z.minLength(1, { error: 'a list of at least one instance' })),
    'The instances that Offpeak maintains.',
  ),
  maxDefragsAtOnce: byDefault(
    4,
    bound(),
    'At most this many nodes of the stage are under active defrag at once: 1 to 100, or a share of all, like 10%; never more than one of an instance or host.',
  ),
  ...stackKeys,
});

type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T;

/** One instance, complete: its own values over `defaults` over the built-in ones. Sizes in bytes, durations in ms. */
export type InstanceConfig = Frozen<Omit<z.output<typeof instanceSchema>, 'url' | 'nodes' | 'template'>> & {
  /** At least one; `url` and `nodes` of the file both end here. None where they are still to be discovered. */
  readonly nodes: readonly NodeAddress[];
  /** Of an instance that a discovery has made: one shard. */
  readonly found?: Found;
};

/** `cluster_state` is not ok; a failover of the Sentinel set is under way; the discovery fails, so that what is under way is unknown. */
export type Unsettled = 'cluster-down' | 'failover' | 'undiscovered';

/** Which instance of the config has found a shard, and in what. */
export interface Found {
  /** Id of the config's instance. */
  readonly by: string;
  /** The Cluster, Sentinel set or replication group that the shard belongs to, as people call it; unique in the stage. */
  readonly group: string;
  /** How many shards the group has, where it has several. */
  readonly shards?: number;
  /** What the source says of the group as a whole now: nothing is started in it. */
  readonly unsettled?: Unsettled;
  readonly managed?: FoundGroup;
  /** Epoch ms, from a tag of the resource: until then nothing is started there. */
  readonly pausedUntil?: number;
  /** It is only watched: a tag says so, or no discovery names it any more and a lease has to be seen to its end. */
  readonly acts?: false;
  /** Nodes with a lease that no discovery names any more: these are only watched. */
  readonly dropped?: readonly string[];
}

/** What AWS says of a replication group of ElastiCache or a cluster of MemoryDB. */
export interface FoundGroup extends ManagedGroup {
  readonly parameterGroup?: string;
  readonly nodeType?: string;
  /** `available`, or what is being done to it (`modifying`, `snapshotting`, …). */
  readonly status: string;
  /** UTC, as AWS writes them: `sun:23:00-mon:01:30`; `05:00-09:00` each day. */
  readonly maintenanceWindow?: string;
  readonly snapshotWindow?: string;
}

/** When the deployed job runs. */
export interface Schedule {
  /** Divides the hour. */
  readonly every: Milliseconds;
  /** An IANA zone; windows have their own. */
  readonly timezone: string;
}

type File = z.output<typeof fileSchema>;

/** The configuration of one stage: at least one instance, ids and nodes unique. */
export interface Config {
  readonly stage: string;
  readonly instances: readonly InstanceConfig[];
  /** Nodes of the stage that may be under active defrag at once: 1 to 100, or a share of all its nodes. */
  readonly maxDefragsAtOnce: Bound;
  readonly schedule: Schedule;
  /** How metrics of nodes are sent, and with them which alarms watch nodes. Those of the job are always classic. */
  readonly metrics: { readonly send: 'classic' | 'otlp' };
  readonly notifications: Notifications;
  readonly fleet: FleetSettings;
  /** Address of the runbook, to which `#anchor` is added. */
  readonly runbook?: string;
  /** In days, one of those that CloudWatch Logs accepts. */
  readonly logRetention: number;
}

/** Who gets alerts: e-mail addresses, a Slack webhook by reference, the schema of Amazon Q. */
export type Notifications = Frozen<File['notifications']>;

/** How many functions share the nodes of the stage: see config/fleet.ts. */
type FleetSettings = Frozen<File['fleet']>;

/** When Offpeak may act; belongs to the day on which it opens. */
export type MaintenanceWindow = InstanceConfig['windows'][number];
