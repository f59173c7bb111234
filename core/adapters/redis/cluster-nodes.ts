import { isHost } from '../../config/address.ts';
import type { ClusterLine } from '../../domain/cluster-line.ts';
import { type Connection, textOf } from './connection.ts';

const TIMEOUT_MS = 3000;

/** Undefined: the server refuses CLUSTER NODES. @throws {NodeFailure} */
export async function clusterNodes(connection: Connection): Promise<readonly ClusterLine[] | undefined> {
  const [reply] = await connection.send([['CLUSTER', 'NODES']], TIMEOUT_MS);
  const text = textOf(reply);
  return text === undefined ? undefined : clusterLines(text);
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
  const bare = host.replace(/^\[|\]$/g, '');
  // What is none is unknown: it is shown to people.
  return {
    host: isHost(bare) ? bare : '',
    port: Number(port),
    ...(hostname !== undefined && isHost(hostname) && { hostname }),
  };
}
