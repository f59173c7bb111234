import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { type Milliseconds, SECOND } from '../../config/units.ts';

const PATH = '/etc/hosts';
const READ_AGAIN: Milliseconds = 10 * SECOND;

/** Addresses by name, in lower case, IPv4 first (hosts(5)). A line whose first word is not an address is skipped. */
export function parseHosts(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>();
  for (const line of text.split(/\r?\n/)) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (isIP(address) === 0) continue;
    for (const name of names) {
      const key = name.toLowerCase();
      found.set(key, (found.get(key) ?? new Set()).add(address));
    }
  }
  return new Map([...found].map(([name, addresses]) => [name, ipv4First([...addresses])]));
}

export function ipv4First(addresses: readonly string[]): readonly string[] {
  return addresses.toSorted((a, b) => isIP(a) - isIP(b));
}

/**
 * The addresses of a name in the hosts file, which is read again after ten seconds; none without such a file. Read synchronously and not in
 * libuv's pool, whose threads may all be busy.
 *
 * @param now milliseconds of a clock that never goes back
 */
export function hostsFile(now: () => Milliseconds, path = PATH): (host: string) => readonly string[] | undefined {
  let entries: ReadonlyMap<string, readonly string[]> = new Map();
  let readAt = Number.NEGATIVE_INFINITY;
  return (host) => {
    if (now() - readAt > READ_AGAIN) {
      readAt = now();
      entries = parseHosts(textOf(path));
    }
    return entries.get(host.toLowerCase());
  };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
