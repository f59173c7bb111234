import type { Connection } from '../adapters/redis/connection.ts';
import type { NodeAddress } from '../config/address.ts';
import type { InstanceConfig } from '../config/schema.ts';
import { type Milliseconds, SECOND } from '../config/units.ts';
import type { Discovered } from '../domain/discovered.ts';
import { DiscoveryFailure } from '../ports/discovery.ts';
import { NodeFailure } from '../ports/node-session.ts';
import { failureOf, fieldsIn, foundAddress, type Silent, silenceOf } from './addresses.ts';
import type { Discovery } from './contract.ts';

const TIMEOUT: Milliseconds = 3 * SECOND;

/** In the config. */
const CREDENTIALS = 'discover.sentinel.credentials';

/**
 * A primary and its replicas, by the first sentinel that knows them. Sentinels have a user and a password of their own. Data nodes are
 * connected to over TLS where the instance has `tls`: no sentinel says which they speak.
 */
export const discoverSentinel: Discovery = async (instance, { connect }, signal) => {
  const { sentinels = [], name = '', credentials } = instance.discover?.sentinel ?? {};
  const failures: Silent[] = [];
  for (const sentinel of sentinels) {
    try {
      const access = {
        ...(credentials && { credentials }),
        ...(sentinel.tls && instance.tls && { tls: instance.tls }),
      };
      return await ask(await connect(access, sentinel, signal), sentinel, name, instance);
    } catch (error) {
      const silence = silenceOf(sentinel.id, error);
      // The credentials of the nodes are others.
      const why =
        error instanceof NodeFailure
          ? silence.why.replaceAll(/(?<![\w.])credentials\./g, `${CREDENTIALS}.`)
          : silence.why;
      failures.push({ ...silence, why });
    }
  }
  const which =
    sentinels.length === 1 ? 'the sentinel does not name' : `none of the ${sentinels.length} sentinels names`;
  throw failureOf(`${which} the nodes of ${name}`, failures);
};

async function ask(
  connection: Connection,
  { id }: NodeAddress,
  name: string,
  instance: InstanceConfig,
): Promise<Discovered> {
  try {
    // SLAVES is the name before Redis 5.0; MASTER still answers on Valkey 9.
    const [primary, replicas] = await connection.send(
      [
        ['SENTINEL', 'MASTER', name],
        ['SENTINEL', 'REPLICAS', name],
      ],
      TIMEOUT,
    );
    if (!primary?.ok) throw refusal(id, name, primary?.error ?? 'no reply');
    if (!replicas?.ok) throw refusal(id, name, replicas?.error ?? 'no reply');
    const listed = Array.isArray(replicas.value) ? replicas.value : [];
    return shardOf([primary.value, ...listed].map(fieldsIn), instance);
  } finally {
    connection.close();
  }
}

function refusal(sentinel: string, name: string, error: string): DiscoveryFailure {
  const mistake = mistakeIn(sentinel, name, error);
  if (mistake !== undefined) return new DiscoveryFailure(mistake, { isMistake: true });
  return new DiscoveryFailure(`${sentinel} refuses SENTINEL MASTER: ${error}`);
}

function mistakeIn(sentinel: string, name: string, error: string): string | undefined {
  if (/no such master|no such primary/i.test(error))
    return `${sentinel} knows no primary of the name ${name}: SENTINEL MASTERS lists the names that it knows`;
  if (/NOAUTH|WRONGPASS|NOPERM/.test(error))
    return `${sentinel} refuses SENTINEL MASTER: set ${CREDENTIALS} to a user with +sentinel|master +sentinel|replicas`;
  return /unknown command/i.test(error)
    ? `${sentinel} is not a sentinel: it does not know SENTINEL. Name the port of a sentinel, which is 26379 by default`
    : undefined;
}

/** What the sentinels call down stays: it is a node of this set, and that it does not answer has to be seen. */
function shardOf(nodes: readonly ReadonlyMap<string, unknown>[], { discover, tls }: InstanceConfig): Discovered {
  const terms = { tls: tls !== undefined, natMap: discover?.sentinel?.natMap };
  const found = nodes.map((fields, index) => {
    const [host, port] = [String(fields.get('ip') ?? ''), Number(fields.get('port'))];
    const address = foundAddress(host, port, terms);
    if (address === undefined) return 'a node is left out: the sentinel says no address for it';
    return { address, role: index === 0 ? 'primary' : 'replica' } as const;
  });
  return {
    shards: [{ group: '', name: '', nodes: found.filter((one) => typeof one !== 'string') }],
    leftOut: found.filter((one) => typeof one === 'string'),
    // The sentinel that leads the failover has the one flag, all that agree on the failure of the primary have the other.
    ...(/failover_in_progress|o_down/.test(String(nodes[0]?.get('flags'))) && { unsettled: 'failover' }),
  };
}
