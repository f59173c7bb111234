import { HOUR, type Milliseconds } from '../config/units.ts';
import type { KeyFinding } from '../domain/keys.ts';
import { exactly, type Ground, type Sampled, stakeOf } from './ground.ts';
import { LARGE, rawBytes, sizeClass, slabPlaces } from './size-class.ts';
import { sumOf } from './sizes.ts';

/** From this share on, a TTL is the rule of a pattern, and what has none an exception. */
const RULE = 0.5;
/** Of all keys: with fewer TTLs the instance is a store, in which keys are meant to stay. */
const CACHE = 0.2;

/** Keys without a TTL: exceptions in their pattern, or a whole pattern of them beside others that expire. */
export function withoutTtl(pattern: string, group: readonly Sampled[], ground: Ground): KeyFinding | undefined {
  const staying = group.filter(({ ttl, bytes }) => ttl === undefined && bytes !== undefined);
  const share = staying.length / group.length;
  const stake = stakeOf(
    staying.map(({ name, bytes = 0 }) => exactly(name, bytes)),
    ground,
  );
  if (!stake || staying.length === 0) return undefined;
  if (share < 1) return share <= 1 - RULE ? { kind: 'ttl-missing', pattern, ...stake, share } : undefined;
  const expiring = ground.draws.filter(({ ttl }) => ttl !== undefined).length;
  if (expiring < CACHE * ground.draws.length) return undefined;
  return { kind: 'never-expires', pattern, ...stake, isEvictable: ground.policy?.startsWith('volatile-') !== true };
}

/** One value in a small class, whose slab it shares. */
interface Place {
  readonly key: Sampled;
  readonly size: number;
}

/** Beyond it, what is written meanwhile decides. */
const HORIZON: Milliseconds = HOUR;
/** So many moments are compared: at each, a like share of the values has expired. */
const MOMENTS = 40;

/**
 * What expires leaves its slab only when all of it has: of a class of which the share f is gone, at random, a slab of k places is free with
 * f^k, and f − f^k of the class is external fragmentation, as long as nothing of that size is written. This is the moment at which that is most.
 * A key's name, object and entry are in classes that all keys share. Only strings: where the parts of a collection are is not reported.
 */
export function unevenExpiry(ground: Ground): KeyFinding | undefined {
  const { quantum = 8 } = ground;
  const places = ground.draws.flatMap((key): readonly Place[] => {
    const size = sizeOf(key, quantum);
    return size === undefined || size >= LARGE ? [] : [{ key, size }];
  });
  const ttls = places
    .flatMap(({ key: { ttl } }) => (ttl !== undefined && ttl <= HORIZON ? ttl : []))
    .toSorted((a, b) => a - b);
  const moments = Array.from({ length: MOMENTS }, (_, index) => ttls[Math.floor((index * ttls.length) / MOMENTS)] ?? 0);
  const worst = moments
    .map((at) => ({ at, held: heldAt(places, at) }))
    .reduce((most, one) => (heldSum(one.held) > heldSum(most.held) ? one : most), { at: 0, held: noneHeld });
  const stake = stakeOf(
    worst.held.map(({ key, bytes }) => exactly(key.name, bytes)),
    ground,
  );
  if (!stake) return undefined;
  const byPattern = [...Map.groupBy(worst.held, ({ key }) => key.pattern)].toSorted(
    ([, a], [, b]) => heldSum(b) - heldSum(a),
  );
  const expiring = worst.held.length / Math.max(1, places.length);
  return { kind: 'uneven-expiry', pattern: byPattern[0]?.[0] ?? '*', ...stake, at: worst.at, expiring };
}

const noneHeld: readonly { readonly key: Sampled; readonly bytes: number }[] = [];

function heldSum(held: typeof noneHeld): number {
  return sumOf(held.map(({ bytes }) => bytes));
}

/** A value in an allocation of its own, or in that of its object: 16 bytes, and the shortest header (object.c). */
function sizeOf({ type, encoding, length }: Sampled, quantum: 8 | 16): number | undefined {
  if (type !== 'string' || length === undefined) return undefined;
  if (encoding === 'raw') return sizeClass(rawBytes(length), quantum);
  return encoding === 'embstr' ? sizeClass(16 + rawBytes(length), quantum) : undefined;
}

/** Names, objects and entries: so many and more share a slab. */
const SMALL_PLACES = 64;

/** Each key that has expired by then, with the bytes that its slabs keep of it. */
function heldAt(places: readonly Place[], at: Milliseconds): typeof noneHeld {
  const hasGone = ({ key }: Place) => key.ttl !== undefined && key.ttl <= at;
  const around = keptOf(places.filter(hasGone).length / places.length, SMALL_PLACES);
  return [...Map.groupBy(places, ({ size }) => size)].flatMap(([size, all]) => {
    const gone = all.filter(hasGone);
    const kept = keptOf(gone.length / all.length, slabPlaces(size));
    return gone.map(({ key }) => ({ key, bytes: size * kept + Math.max(0, (key.bytes ?? size) - size) * around }));
  });
}

/** Of a free place, the chance that one of the others in its slab is taken. */
function keptOf(gone: number, places: number): number {
  return 1 - gone ** (places - 1);
}
