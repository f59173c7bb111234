/** One line of CLUSTER NODES: a node as the one that was asked knows it. */
export interface ClusterLine {
  readonly id: string;
  /** Empty where it is unknown: of the node that was asked, before it has met another one; of one that the cluster has lost. */
  readonly host: string;
  readonly port: number;
  /** `cluster-announce-hostname`, Redis 7.0. */
  readonly hostname?: string;
  readonly flags: readonly string[];
  /** Of a replica: the id of the node that it follows. */
  readonly primary?: string;
  /** Ranges of slots that it serves. */
  readonly ranges: number;
  /** Slots on their way to or from it. Only on the line of the node that was asked. */
  readonly moving: number;
}

/** The node that was asked. */
export function isSelf({ flags }: ClusterLine): boolean {
  return flags.includes('myself');
}

export function isReplica({ flags }: ClusterLine): boolean {
  return flags.includes('slave') || flags.includes('replica');
}

/** The cluster agrees that it has failed. */
export function hasFailed({ flags }: ClusterLine): boolean {
  return flags.includes('fail');
}

/** Not a member yet, and perhaps never. */
export function isGreeted({ flags }: ClusterLine): boolean {
  return flags.includes('handshake');
}

/** It answers the node that was asked, at an address. */
export function isLive({ flags, host }: ClusterLine): boolean {
  return host !== '' && !['handshake', 'noaddr', 'fail', 'fail?'].some((flag) => flags.includes(flag));
}

/** A primary that serves slots and does not answer: its replica may be about to take over. `fail?`: the node that was asked thinks so. */
export function isFailing({ flags, ranges }: ClusterLine): boolean {
  return ranges > 0 && (flags.includes('fail') || flags.includes('fail?'));
}
