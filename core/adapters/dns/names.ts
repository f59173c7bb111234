import { isIP, type LookupFunction } from 'node:net';
import pLimit from 'p-limit';
import { MINUTE, type Milliseconds, SECOND } from '../../config/units.ts';
import { hostsFile } from './hosts-file.ts';
import { type Answer, NameFailure, nameServers, systemResolver } from './resolvers.ts';

export interface Resolved {
  /** At least one; IPv4 first. */
  readonly addresses: readonly string[];
  /** Why these are older than they may be. Follows `carts.example:6379 cannot be reached: ECONNREFUSED; `. */
  readonly stale?: string;
}

export interface Names {
  /** An IP address is its own. @throws {NameFailure} */
  resolve(host: string): Promise<Resolved>;
  /** The address of this name does not answer: resolve it anew, before its TTL ends. */
  doubt(host: string): void;
  /** The same for Node's sockets and HTTP agents, in place of `dns.lookup`. */
  readonly lookup: LookupFunction;
}

export interface NamesOptions {
  /** `ip:port` of name servers; default: the system's (`/etc/resolv.conf`). */
  readonly servers?: readonly string[];
  /** Default: `/etc/hosts`. */
  readonly hostsPath?: string;
  /** Milliseconds of a clock that never goes back; default: the process' own. */
  readonly now?: () => Milliseconds;
}

/** How long a name may take. The first try waits for a second, the second one for two. */
const RESOLVE_TIMEOUT_MS = 3 * SECOND;

/** Where an address is known, the wait is shorter (RFC 8767 recommends 1.8 s). */
const REFRESH_TIMEOUT_MS = SECOND;

/** Bounds of a record's TTL: one query is enough for a tick, and a failover is followed within a minute. */
const SHORTEST_TTL: Milliseconds = SECOND;

const LONGEST_TTL: Milliseconds = MINUTE;

/** For this long after the last answer, an address is used while the name servers do not answer. */
const STALE_FOR: Milliseconds = 5 * MINUTE;

/** For this long a failed refresh is not repeated. */
const NEXT_REFRESH: Milliseconds = 5 * SECOND;

/** Names at once: a VPC's resolver accepts 1,024 packets a second from each network interface, and each name takes two. */
const NAMES_AT_ONCE = 256;

interface Kept extends Resolved {
  readonly answeredAt: Milliseconds;
  readonly until: Milliseconds;
}

/**
 * Resolves names with c-ares, within time limits: `getaddrinfo` holds a thread of libuv's pool for as long as a name server is silent,
 * it gets only two such threads, and the names of AWS would wait behind them. In this order: the hosts file, DNS, and, for what DNS
 * answers but does not know (search domains, mDNS), `getaddrinfo`, one name at a time.
 */
export function createNames({ servers, hostsPath, now = () => performance.now() }: NamesOptions = {}): Names {
  const hosts = hostsFile(now, hostsPath);
  const ask = dnsThenSystem(now, servers);
  /** Of the names in the config: as many as it has. */
  const kept = new Map<string, Kept>();
  const asked = new Map<string, Promise<Resolved>>();
  const turns = pLimit(NAMES_AT_ONCE);

  function keep(host: string, one: Kept): Kept {
    kept.set(host, one);
    return one;
  }

  async function refresh(host: string): Promise<Resolved> {
    const last = kept.get(host);
    const usable = last && now() - last.answeredAt < STALE_FOR ? last : undefined;
    try {
      const { addresses, ttl } = await ask(host, usable ? REFRESH_TIMEOUT_MS : RESOLVE_TIMEOUT_MS);
      const lifetime = Math.min(Math.max(ttl, SHORTEST_TTL), LONGEST_TTL);
      return keep(host, { addresses, answeredAt: now(), until: now() + lifetime });
    } catch (error) {
      // "No such name" is an answer: the old address may belong to another server by now.
      const isAnswered = !(error instanceof NameFailure) || error.code === 'ENOTFOUND';
      if (usable === undefined || isAnswered) {
        kept.delete(host);
        throw error;
      }
      return keep(host, staleSince(usable, error, now()));
    }
  }

  async function resolve(host: string): Promise<Resolved> {
    if (isIP(host) !== 0) return { addresses: [host] };
    const listed = hosts(host);
    if (listed) return { addresses: listed };
    const known = kept.get(host);
    if (known && now() < known.until) return known;
    const underWay = asked.get(host) ?? turns(() => refresh(host)).finally(() => asked.delete(host));
    asked.set(host, underWay);
    return await underWay;
  }

  function doubt(host: string): void {
    const known = kept.get(host);
    if (known) kept.set(host, { ...known, until: now() });
  }

  return { resolve, doubt, lookup: lookupOver(resolve) };
}

function dnsThenSystem(now: () => Milliseconds, servers: NamesOptions['servers']) {
  const askServers = nameServers(now, servers);
  const askSystem = systemResolver(now);
  return async (host: string, patience: Milliseconds): Promise<Answer> => {
    const end = now() + patience;
    const answer = await askServers(host, patience);
    return typeof answer === 'string' ? await askSystem(host, answer, end) : answer;
  };
}

function staleSince(last: Kept, { message }: Error, now: Milliseconds): Kept {
  const age = Math.round((now - last.answeredAt) / SECOND);
  return { ...last, stale: `that was the address ${age} s ago; since then, ${message}`, until: now + NEXT_REFRESH };
}

function lookupOver(resolve: Names['resolve']): LookupFunction {
  return (host, { all, family = 0 }, callback) => {
    const wanted = family === 'IPv4' ? 4 : family === 'IPv6' ? 6 : family;
    resolve(host).then(
      ({ addresses }) => {
        const found = addresses
          .map((address) => ({ address, family: isIP(address) }))
          .filter((one) => wanted === 0 || one.family === wanted);
        const [first] = found;
        if (first === undefined) callback(new NameFailure('ENOTFOUND', `${host} has no IPv${wanted} address`), '');
        else if (all) callback(null, found);
        else callback(null, first.address, first.family);
      },
      (error) => callback(error, ''),
    );
  };
}
