import { address } from '../adapters/redis/failure.ts';
import type { NodeAddress } from '../config/address.ts';

/** The address of a node that a cluster or a sentinel has named, by the config's `natMap` where it has one. */
export function foundAddress(
  host: string,
  port: number,
  { tls, natMap = {} }: { readonly tls: boolean; readonly natMap?: Readonly<Record<string, string>> | undefined },
): NodeAddress {
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

export function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port <= 65_535;
}

/** Why each of these did not answer: a reason that several share comes once. */
export function reasonsText(failures: readonly { readonly at: string; readonly why: string }[]): string {
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
