import { address } from '../adapters/redis/failure.ts';
import { isHost, type NodeAddress } from '../config/address.ts';
import { isOfConfig } from '../domain/outcome.ts';
import { DiscoveryFailure } from '../ports/discovery.ts';
import { NodeFailure } from '../ports/node-session.ts';

/** The address of a node that a cluster or a sentinel has named, by the config's `natMap` where it has one; undefined: it is none. */
export function foundAddress(
  host: string,
  port: number,
  { tls, natMap = {} }: { readonly tls: boolean; readonly natMap?: Readonly<Record<string, string>> | undefined },
): NodeAddress | undefined {
  if (!isHost(host) || !isPort(port)) return undefined;
  const said = address({ host, port });
  return addressOf(natMap[said] ?? said, tls);
}

/** Of `host:port`, an IPv6 host in brackets. */
export function addressOf(at: string, tls: boolean): NodeAddress {
  const colon = at.lastIndexOf(':');
  const name = at.slice(0, colon).toLowerCase();
  return {
    id: `${name}${at.slice(colon)}`,
    host: name.replace(/^\[|\]$/g, ''),
    port: Number(at.slice(colon + 1)),
    tls,
  };
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port <= 65_535;
}

/** Why a seed or a sentinel did not say which nodes there are. */
export interface Silent {
  readonly at: string;
  readonly why: string;
  readonly isMistake: boolean;
}

/** What is not a failure of the one that was asked is a mistake of this program, and is not hidden. */
export function silenceOf(at: string, error: unknown): Silent {
  if (error instanceof DiscoveryFailure) return { at, why: error.message, isMistake: error.isMistake };
  if (error instanceof NodeFailure) return { at, why: error.message, isMistake: isOfConfig(error.kind) };
  throw error;
}

/** Why none of these has answered: a reason that several share comes once. */
export function failureOf(what: string, silent: readonly Silent[]): DiscoveryFailure {
  return new DiscoveryFailure(`${what}: ${reasonsText(silent)}`, {
    isMistake: silent.some(({ isMistake }) => isMistake),
  });
}

function reasonsText(failures: readonly Silent[]): string {
  const byReason = Map.groupBy(failures, ({ why }) => why);
  return [...byReason]
    .map(([why, its]) =>
      its.every(({ at }) => why.includes(at)) ? why : `${its.map(({ at }) => at).join(', ')}: ${why}`,
    )
    .join('; ');
}

/** The value of a flat list of names and values, as RESP2 writes a map. */
export function fieldsIn(reply: unknown): ReadonlyMap<string, unknown> {
  const list = Array.isArray(reply) ? reply : [];
  return new Map(list.flatMap((name, index) => (index % 2 === 0 ? [[String(name), list[index + 1]] as const] : [])));
}
