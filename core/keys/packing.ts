import type { Bytes } from '../config/units.ts';
import type { CollectionType, EncodingLimits, KeyFinding } from '../domain/keys.ts';
import { spreadOf } from './estimate.ts';
import { type Ground, type Sampled, stakeOf } from './ground.ts';
import { openCharacters } from './patterns.ts';

// What a listpack would hold in fewer bytes: small strings together in hashes, and collections just beyond the limits of their encoding.

/** Fields in each hash: enough that its own key weighs little, few enough that a linear search stays quick. */
const ENTRIES = 100;
/** An object, an entry of the dictionary, a short name and a listpack's header: once for each hash. */
const OWN_BYTES = 96;
/** A listpack is one allocation, and up to a fifth of it is rounding. */
const ROUNDED = 1.2;

/**
 * Strings without a TTL: a field has none of its own before Redis 7.4, and it costs more than it saves there. Each name keeps what its
 * pattern leaves open, as its field.
 */
export function packFinding(pattern: string, group: readonly Sampled[], ground: Ground): KeyFinding | undefined {
  const { hashEntries, hashValue } = ground.space.limits;
  const entries = Math.min(ENTRIES, hashEntries);
  if (!pattern.includes('*') || entries < 2) return undefined;
  const packable = group.flatMap((one) => {
    const open = openCharacters(one.name, pattern);
    const { bytes, length = 0 } = one;
    const isSmall = one.type === 'string' && one.length !== undefined && length <= hashValue && open <= hashValue;
    return isSmall && one.ttl === undefined && bytes !== undefined ? [{ one, open, bytes, length }] : [];
  });
  const worths = packable.map(({ one, open, bytes, length }) => {
    const value = one.encoding === 'int' ? integerBytes(length) : textBytes(length);
    const least = Math.min(integerBytes(open), textBytes(open)) + value + OWN_BYTES / entries;
    const most = (textBytes(open) + value + 1) * ROUNDED + OWN_BYTES / entries;
    return { name: one.name, low: bytes - most, high: bytes - least };
  });
  const stake = stakeOf(worths, ground);
  const each = spreadOf(packable.map(({ bytes }) => bytes))?.p50;
  const saved = spreadOf(worths.map(({ low, high }) => (low + high) / 2))?.p50;
  if (!stake || each === undefined || saved === undefined) return undefined;
  return { kind: 'pack', pattern, ...stake, entries, each, packed: Math.max(1, Math.round(each - saved)) };
}

/** In a listpack (listpack.c): the head, the text, and its length backwards. */
function textBytes(length: number): Bytes {
  return length < 64 ? length + 2 : length + 4;
}

/** The same of a whole number, by its digits. */
function integerBytes(digits: number): Bytes {
  if (digits <= 2) return 2;
  if (digits <= 4) return 3;
  if (digits <= 7) return 5;
  return digits <= 10 ? 6 : 10;
}

interface Kind {
  readonly encodings: readonly string[];
  readonly entries: (limits: EncodingLimits) => number;
  readonly value: (limits: EncodingLimits) => Bytes;
  /** The settings' names, of Redis 7 and Valkey. */
  readonly settings: { readonly entries: string; readonly value: string };
  /** Texts for each element: a field and a value, a member. */
  readonly texts: number;
  /** Beside texts, entry and its place in the table: the node of a skiplist, of 1.33 levels on average, and in the five that were measured. */
  readonly node: { readonly low: Bytes; readonly high: Bytes };
  /** What the listpack holds beside the texts: a score. */
  readonly extra: { readonly low: Bytes; readonly high: Bytes };
}

const NOTHING = { low: 0, high: 0 };

const KINDS: Readonly<Record<CollectionType, Kind>> = {
  hash: {
    encodings: ['hashtable'],
    entries: ({ hashEntries }) => hashEntries,
    value: ({ hashValue }) => hashValue,
    settings: { entries: 'hash-max-listpack-entries', value: 'hash-max-listpack-value' },
    texts: 2,
    node: NOTHING,
    extra: NOTHING,
  },
  zset: {
    encodings: ['skiplist'],
    entries: ({ zsetEntries }) => zsetEntries,
    value: ({ zsetValue }) => zsetValue,
    settings: { entries: 'zset-max-listpack-entries', value: 'zset-max-listpack-value' },
    texts: 1,
    node: { low: 40, high: 60 },
    extra: { low: 2, high: 19 },
  },
  set: {
    encodings: ['hashtable'],
    entries: ({ setEntries, intsetEntries }) => Math.max(setEntries, intsetEntries),
    value: ({ setValue }) => setValue,
    settings: { entries: 'set-max-intset-entries', value: 'set-max-listpack-value' },
    texts: 1,
    node: NOTHING,
    extra: NOTHING,
  },
};

/** Up to this many times the limit is "just beyond"; larger listpacks make each access slow. */
const BEYOND = 4;
/** An element this long is data, and no listpack makes it shorter. */
const LONGEST_ELEMENT: Bytes = 256;

/** Of one type within a pattern. `by`: too many elements, or, where these are few, one that is too long. */
export function encodingFinding(
  pattern: string,
  group: readonly Sampled[],
  ground: Ground,
  { type, by }: { readonly type: CollectionType; readonly by: 'entries' | 'value' },
): KeyFinding | undefined {
  const kind = KINDS[type];
  const [entries, value] = [kind.entries(ground.space.limits), kind.value(ground.space.limits)];
  const beyond = group.flatMap((one) => {
    if (one.type !== type || !kind.encodings.includes(one.encoding ?? '')) return [];
    const { bytes, length: elements = 0 } = one;
    const isJustBeyond = by === 'entries' ? elements > entries && elements <= entries * BEYOND : elements <= entries;
    const packed = bytes === undefined || elements === 0 ? undefined : packedBytes(kind, bytes / elements, elements);
    return isJustBeyond && bytes !== undefined && packed && packed.text <= LONGEST_ELEMENT
      ? [{ name: one.name, elements, text: packed.text, low: bytes - packed.high, high: bytes - packed.low }]
      : [];
  });
  const stake = stakeOf(beyond, ground);
  if (!stake) return undefined;
  const figures = beyond.map(({ elements, text }) => (by === 'entries' ? elements : text)).toSorted((a, b) => a - b);
  const needed = Math.ceil(figures[Math.min(figures.length - 1, Math.floor(figures.length * 0.95))] ?? 0);
  const [setting, limit] = by === 'entries' ? [kind.settings.entries, entries] : [kind.settings.value, value];
  return { kind: 'encoding', pattern, ...stake, type, by, setting: nameOf(setting, ground), limit, needed };
}

/** A set of texts has its own limit (Redis 7.2); which of them a set has exceeded shows in what its elements take. */
function nameOf(setting: string, { space }: Ground): string {
  const { setEntries, intsetEntries } = space.limits;
  return setting === 'set-max-intset-entries' && setEntries > intsetEntries ? 'set-max-listpack-entries' : setting;
}

/**
 * What a collection of so many elements, which now takes `each` bytes for one of them, would take as a listpack, by the layout of dict.c and
 * t_zset.c: an entry of 24 bytes and a place of 8 in a table of 2^n, and for each text a header, a zero, and rounding.
 */
function packedBytes({ texts, node, extra }: Kind, each: number, elements: number) {
  const slots = 2 ** Math.ceil(Math.log2(Math.max(4, elements)));
  const allocated = each - 24 - (8 * slots) / elements;
  const longest = Math.max(texts, allocated - node.low - texts * 2);
  const shortest = Math.max(texts, allocated - node.high - texts * 10);
  return {
    text: longest / texts,
    low: (shortest + texts * 2 + extra.low) * elements,
    high: (longest + texts * 4 + extra.high) * elements * ROUNDED,
  };
}
