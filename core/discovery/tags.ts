import * as z from 'zod/mini';
import { duration, size } from '../config/quantities.ts';
import type { Overrides } from '../domain/discovered.ts';

/** What the tags of one resource say to Offpeak. */
interface Said {
  /** `offpeak:ignore`: it is left out. */
  readonly isIgnored: boolean;
  readonly overrides: Overrides;
  /** What cannot be understood, in sentences. Then it is only watched: what was meant may have been to leave it alone. */
  readonly odd: readonly string[];
}

const PREFIX = 'offpeak:';

const YES = ['true', 'yes', 'on', ''];
const NO = ['false', 'no', 'off'];

const SIZE = size({ min: 1, like: '6GiB' });
const STALL = duration({ min: '1ms', max: '100ms', like: '5ms' });
const INSTANT = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

type Reading<T> = { readonly value: T } | { readonly accepted: string };

/** How each tag is read. A value of AWS has letters, digits, spaces and `_ . : / = + - @`. */
const READERS = {
  ignore: yesOrNo,
  'watch-only': yesOrNo,
  'memory-limit': (text: string) => by(SIZE, text),
  'max-stall': (text: string) => by(STALL, text),
  'pause-until': (text: string): Reading<number> => {
    const at = INSTANT.test(text) ? Date.parse(text) : Number.NaN;
    return Number.isNaN(at) ? { accepted: 'a time with its zone, like 2026-12-01T06:00:00+01:00' } : { value: at };
  },
} as const satisfies Readonly<Record<string, (text: string) => Reading<unknown>>>;

type Tag = keyof typeof READERS;
const NAMES = Object.keys(READERS) as readonly Tag[];

function yesOrNo(text: string): Reading<boolean> {
  const word = text.toLowerCase();
  if (YES.includes(word)) return { value: true };
  return NO.includes(word) ? { value: false } : { accepted: 'true or false' };
}

function by<T>(schema: z.ZodMiniType<T>, text: string): Reading<T> {
  const { success, data, error } = z.safeParse(schema, text);
  return success ? { value: data } : { accepted: error.issues[0]?.message ?? 'another value' };
}

/** @param chosenBy tags of the config, which choose resources and say nothing to Offpeak */
export function readTags(tags: Readonly<Record<string, string>>, chosenBy: readonly string[] = []): Said {
  const odd: string[] = [];
  const read = <Name extends Tag>(name: Name) => {
    const text = tags[PREFIX + name];
    if (text === undefined) return undefined;
    const reading = READERS[name](text.trim());
    if ('value' in reading) return reading.value;
    odd.push(`the tag ${PREFIX}${name} is ${JSON.stringify(text.slice(0, 64))}; accepted: ${reading.accepted}`);
    return undefined;
  };
  const isIgnored = read('ignore') === true;
  const isWatched = read('watch-only') === true;
  const memoryLimit = read('memory-limit') as number | undefined;
  const maxStall = read('max-stall') as number | undefined;
  const pausedUntil = read('pause-until') as number | undefined;
  for (const key of Object.keys(tags).filter((one) => isUnknown(one) && !chosenBy.includes(one)))
    odd.push(`there is no tag ${key}; accepted: ${NAMES.map((name) => PREFIX + name).join(', ')}, in lower case`);
  const overrides = {
    ...(memoryLimit !== undefined && { memoryLimit }),
    ...(maxStall !== undefined && { maxStall }),
    ...(pausedUntil !== undefined && { pausedUntil }),
    ...((isWatched || odd.length > 0) && { acts: false }),
  };
  return { isIgnored, overrides, odd };
}

function isUnknown(key: string): boolean {
  return key.toLowerCase().startsWith(PREFIX) && !NAMES.some((name) => PREFIX + name === key);
}
