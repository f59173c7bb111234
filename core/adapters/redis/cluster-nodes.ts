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

/**
 * `<id> <address> <flags> <primary> <ping> <pong> <epoch> <link> <slot>…`, one line for each node (cluster.c, `clusterGenNodeDescription`).
 * A line that is none of these is left out.
 */
export function clusterLines(text: string): readonly ClusterLine[] {
  return text.split('\n').flatMap((line) => {
    const [id = '', place = '', flags = '', primary = '', , , , , ...slots] = line.trim().split(' ');
    const address = addressIn(place);
    if (!ID.test(id) || address === undefined) return [];
    return [
      {
        id,
        ...address,
        flags: flags.split(','),
        ...(ID.test(primary) && { primary }),
        ranges: slots.filter((slot) => RANGE.test(slot)).length,
        moving: slots.filter((slot) => MOVING.test(slot)).length,
      },
    ];
  });
}

const ID = /^[\da-f]{40}$/;
/** `10.0.0.1:6379@16379,redis-1.example,shard-id=…`: without the bus before Redis 4.0, without what follows a comma before 7.0. */
const PLACE = /^(?<host>.*):(?<port>\d{1,5})(?:@\d{1,5})?$/;
const RANGE = /^\d+(?:-\d+)?$/;
/** `[77->-<id>]` leaves, `[93-<-<id>]` arrives. */
const MOVING = /^\[\d+-[<>]-/;

function addressIn(place: string): Pick<ClusterLine, 'host' | 'port' | 'hostname'> | undefined {
  const [address = '', ...more] = place.split(',');
  const { host, port } = PLACE.exec(address)?.groups ?? {};
  if (host === undefined) return undefined;
  // Auxiliary fields have a name.
  const hostname = more[0]?.includes('=') ? undefined : more[0];
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port), ...(hostname && { hostname }) };
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

/** A primary that serves slots and does not answer: its replica may be about to take over. `fail?`: the node that was asked thinks so. */
export function isFailing({ flags, ranges }: ClusterLine): boolean {
  return ranges > 0 && (flags.includes('fail') || flags.includes('fail?'));
}
