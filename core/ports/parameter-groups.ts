import type { ManagedService } from '../config/iam.ts';

/** A parameter group of ElastiCache or MemoryDB. */
export interface GroupName {
  readonly service: ManagedService;
  readonly region: string;
  readonly group: string;
}

/** One parameter, as AWS describes it. */
export interface Parameter {
  readonly name: string;
  readonly value?: string;
  /** `user`, `system` or `engine-default`; MemoryDB does not say. */
  readonly source?: string;
  /** `1-75`, `yes,no`. */
  readonly allowed?: string;
  readonly isModifiable: boolean;
  readonly isImmediate: boolean;
}

/** A cluster that uses the group. */
export interface GroupUser {
  /** Its replication group, or itself where it is in none; in MemoryDB the cluster. */
  readonly cluster: string;
  /** `host:port` of its nodes; none while it is being created. */
  readonly nodes: readonly string[];
  /** `in-sync` (ElastiCache) or `active` (MemoryDB): the nodes have the group's values. */
  readonly isInSync: boolean;
  /** Regions share what they use: a global datastore, a multi-region cluster. */
  readonly isGlobal: boolean;
}

/** AWS' calls for parameter groups. Each rejects with `DiscoveryFailure`, in words; whether a change was made is then unknown. */
export interface ParameterGroups {
  read(of: GroupName): Promise<readonly Parameter[]>;
  users(of: GroupName): Promise<readonly GroupUser[]>;
  set(of: GroupName, values: Readonly<Record<string, string>>): Promise<void>;
  /** Back to the values of the engine's family. */
  reset(of: GroupName, names: readonly string[]): Promise<void>;
}

/** What came of one group. */
export interface GroupReport extends GroupName {
  /** For plans and the log. */
  readonly line: string;
  /** Its nodes, while a lease stands on it. */
  readonly leased: readonly { readonly instance: string; readonly node: string }[];
  /** What has gone wrong on the job's side. */
  readonly failed?: true;
}
