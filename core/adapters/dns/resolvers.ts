import { lookup, Resolver } from 'node:dns/promises';
import pLimit from 'p-limit';
import { MINUTE, type Milliseconds, SECOND } from '../../config/units.ts';
import { within } from '../within.ts';
import { ipv4First } from './hosts-file.ts';

/** When one family has answered, the other one has this long: enough for one lost packet, not for a name server that ignores AAAA. */
const OTHER_FAMILY_MS = 1.2 * SECOND;

/** What `getaddrinfo` has found comes without a TTL. */
const SYSTEM_TTL: Milliseconds = 10 * SECOND;

export interface Answer {
  readonly addresses: readonly string[];
  readonly ttl: Milliseconds;
}

/** The answer of DNS: addresses, or the code of its refusal. Throws when it does not answer in time. */
export function nameServers(now: () => Milliseconds, servers: readonly string[] | undefined) {
  let resolver: Resolver | undefined;
  let madeAt = 0;
  let waiting = 0;
  function current(): Resolver {
    if (resolver && (waiting > 0 || now() - madeAt < RESOLVER_LIFETIME)) return resolver;
    resolver = new Resolver(TRIES);
    if (servers) resolver.setServers(servers);
    madeAt = now();
    return resolver;
  }
  return async (host: string, patience: Milliseconds): Promise<Answer | string> => {
    const one = current();
    waiting++;
    try {
      return await within(bothFamilies(one, host), patience, () => {
        throw new NameFailure('ETIMEDOUT', `no name server answered for ${host} within ${patience} ms`);
      });
    } finally {
      waiting--;
      // A query that no caller waits for would keep its socket open, and so the process.
      if (waiting === 0) one.cancel();
    }
  };
}

async function bothFamilies(resolver: Resolver, host: string): Promise<Answer | string> {
  const families = [resolver.resolve4(host, { ttl: true }), resolver.resolve6(host, { ttl: true })];
  try {
    await Promise.any(families);
  } catch (error) {
    const codes = (error as AggregateError).errors.map(codeOf);
    const unsaid = codes.find((code) => !DENIALS.includes(code));
    if (unsaid !== 'ETIMEOUT') return unsaid ?? 'ENOTFOUND';
    throw new NameFailure('ETIMEDOUT', `no name server answered for ${host}`);
  }
  const answers = families.map((family) =>
    within(
      family.catch(() => []),
      OTHER_FAMILY_MS,
      () => [],
    ),
  );
  const records = (await Promise.all(answers)).flat();
  return {
    addresses: records.map(({ address }) => address),
    ttl: Math.min(...records.map(({ ttl }) => ttl)) * SECOND,
  };
}

/** As the system is configured. A call cannot be cancelled: the next one waits for its end. */
export function systemResolver(now: () => Milliseconds) {
  const turns = pLimit(1);
  return async (host: string, refusal: string, end: Milliseconds): Promise<Answer> => {
    const refused = () => {
      if (refusal === 'ENOTFOUND') throw new NameFailure(refusal, `there is no such name as ${host}`);
      throw new NameFailure('EAI_AGAIN', `the name servers refuse to answer for ${host}: ${refusal}`);
    };
    const found = turns(async () => (now() < end ? await lookup(host, { all: true }).catch(refused) : refused()));
    const addresses = (await within(found, end - now(), refused)).map(({ address }) => address);
    return { addresses: ipv4First(addresses), ttl: SYSTEM_TTL };
  };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : String(error);
}

/**
 * Node's codes: there is no such name; its name servers do not answer; they answer, but not with addresses. Only the second one is a
 * time-out.
 */
type NameCode = 'ENOTFOUND' | 'ETIMEDOUT' | 'EAI_AGAIN';

/** A name without an address. */
export class NameFailure extends Error {
  override readonly name = 'NameFailure';
  readonly code: NameCode;

  constructor(code: NameCode, message: string) {
    super(message);
    this.code = code;
  }
}

const TRIES = { timeout: SECOND, tries: 3 } as const;

/** c-ares: no such name; the name, but no address of that family. */
const DENIALS = ['ENOTFOUND', 'ENODATA'];

/** So that a laptop that has moved to another network uses the servers there. */
const RESOLVER_LIFETIME: Milliseconds = MINUTE;
