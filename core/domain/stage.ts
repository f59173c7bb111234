import type { Engine } from './engine.ts';

/**
 * What holds for the stage as a whole, whatever its instances are: so many nodes under active defrag at once, one node of a host at a
 * time, and none on an engine version on which a server has just gone down under our defrag.
 */
export interface StageLimits {
  /** `maxDefragsAtOnce` of the config. */
  readonly limit: number;
  /** Nodes on which a lease stands, or on which a job is about to take one. */
  readonly acting: readonly ActingNode[];
  /** What has befallen servers under our defrag; those of before the last night count no more. */
  readonly falls: readonly Outage[];
}

export interface ActingNode extends Place {
  /** A purge takes no place among those of the stage. */
  readonly isDefrag: boolean;
}

/** Where a server runs, as far as it can be seen from here. */
export interface Place {
  /** `host:port`, as the config names it. */
  readonly node: string;
  /** The IP address that its connection led to: two names may lead to one host. */
  readonly address?: string;
}

export type Version = Pick<Engine, 'name' | 'version'>;

/** A server that went down under our defrag. */
export interface Outage {
  readonly node: string;
  /** Of the process that the defrag was on: when it answers again, it had only been away. */
  readonly runId: string;
  readonly engine: Version;
  readonly how: 'restarted' | 'vanished';
  /** Epoch ms: when it was noticed, and when its version is tried again. */
  readonly at: number;
  readonly until: number;
}

/** Who has answered, and when (epoch ms). */
export interface Answer {
  readonly runId: string;
  readonly at: number;
}
