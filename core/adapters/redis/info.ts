/**
 * INFO as Redis, Valkey and their relatives print it: `field:value` lines under `# Section` headings.
 *
 * The parser trusts nothing: it skips a line without a colon, and a value that the field cannot hold is absent.
 * Rules can handle absent values, but not NaN (NaN > 5 is false, and so is NaN <= 5).
 */
export type InfoFields = ReadonlyMap<string, string>;

/** Names and values in order. A field may occur several times: old KeyDBs repeat `master_link_status` for each primary. */
export type InfoLines = readonly (readonly [name: string, value: string])[];

/**
 * More lines than this are not INFO: a section of Redis has some 50, that of a primary one more for each replica, that of the keys one
 * for each database. Each line costs some 100 bytes: eight million line breaks must not become as many lines.
 */
const MAX_INFO_LINES = 10_000;

/** Every field of one INFO text, in order. Never throws. */
export function infoLines(text: string): InfoLines {
  const lines: (readonly [string, string])[] = [];
  let read = 0;
  for (const [line] of text.matchAll(/[^\r\n]+/g)) {
    if (++read > MAX_INFO_LINES) break;
    const colon = line.indexOf(':');
    if (colon <= 0 || line.startsWith('#')) continue;
    lines.push([line.slice(0, colon), line.slice(colon + 1).trim()]);
  }
  return lines;
}

/** The first occurrence of a field counts. `valuesOf` has all of them, where the worst one must count. */
export function parseInfo(text: string): InfoFields {
  return firstOf(infoLines(text));
}

/** By name: the value, or all of them, of a field that occurs several times. */
type ByName = ReadonlyMap<string, string | readonly string[]>;

/** Each observation asks for some sixty fields of two hundred lines: one pass for all of them. */
const indexed = new WeakMap<InfoLines, ByName>();

function byName(lines: InfoLines): ByName {
  const known = indexed.get(lines);
  if (known) return known;
  const index = new Map<string, string | string[]>();
  for (const [name, value] of lines) {
    const before = index.get(name);
    if (before === undefined) index.set(name, value);
    else if (typeof before === 'string') index.set(name, [before, value]);
    else before.push(value);
  }
  indexed.set(lines, index);
  return index;
}

/**
 * Without the fields that one text prints twice with different values: which of them is true is unknown. Between two texts a value may
 * change, and `valuesOf` has the fields that are meant to be repeated.
 */
export function unambiguous(lines: InfoLines): InfoLines {
  const doubtful = doubtfulIn(lines);
  return doubtful.size === 0 ? lines : lines.filter(([name]) => !doubtful.has(name));
}

export function doubtfulIn(lines: InfoLines): ReadonlySet<string> {
  const index = byName(lines);
  const doubtful = new Set<string>();
  if (index.size === lines.length) return doubtful;
  for (const [name, values] of index) {
    if (typeof values !== 'string' && values.some((value) => value !== values[0])) doubtful.add(name);
  }
  return doubtful;
}

export function firstOf(lines: InfoLines): InfoFields {
  const fields = new Map<string, string>();
  for (const [name, value] of lines) if (!fields.has(name)) fields.set(name, value);
  return fields;
}

/** Fields by one name, by several, or by a pattern, which is slower. */
export type FieldNames = string | readonly string[] | RegExp;

/** Each value of these fields. */
export function valuesOf(lines: InfoLines, names: FieldNames): readonly string[] {
  const index = byName(lines);
  if (typeof names === 'string') return asList(index.get(names));
  if (!(names instanceof RegExp)) return names.flatMap((name) => asList(index.get(name)));
  return [...index].flatMap(([name, values]) => (names.test(name) ? asList(values) : []));
}

function asList(values: string | readonly string[] | undefined): readonly string[] {
  if (values === undefined) return [];
  return typeof values === 'string' ? [values] : values;
}

const DECIMAL = /^\d+(\.\d+)?$/;

/**
 * A count, a size or a duration: finite and not negative. Anything else is absent: Redis has printed `nan` and `inf` for ratios
 * of empty servers, and underflowed sizes as negative or as 2^64 − n, which no number here can hold exactly.
 */
export function numberField(fields: InfoFields, name: string): number | undefined {
  const raw = fields.get(name);
  return raw === undefined ? undefined : numberOf(raw);
}

/** The same for a value. */
export function numberOf(raw: string): number | undefined {
  if (!DECIMAL.test(raw)) return undefined;
  const value = Number(raw);
  return value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}

/** The longest text that INFO prints is `executable`, a path (PATH_MAX). */
const TEXT = /^[^\p{C}\p{Zl}\p{Zp}]{1,4096}$/u;

/** A non-empty text that is safe to print: no control characters, no marks of direction, no line breaks of Unicode. */
export function textField(fields: InfoFields, name: string): string | undefined {
  return matching(fields, name, TEXT);
}

/** ASCII without spaces. */
const WORD = /^[!-~]{1,64}$/;

/** A version or the name of an allocator, which are shown to people and kept in the state. */
export function wordField(fields: InfoFields, name: string): string | undefined {
  return matching(fields, name, WORD);
}

/** CONFIG_RUN_ID_SIZE (server.h), by getRandomHexChars. */
const RUN_ID = /^[0-9a-f]{40}$/i;

/** It names a run of the server in the state, also in keys: any other form is ignored. */
export function runIdField(fields: InfoFields): string | undefined {
  return matching(fields, 'run_id', RUN_ID);
}

function matching(fields: InfoFields, name: string, form: RegExp): string | undefined {
  const raw = fields.get(name);
  return raw !== undefined && form.test(raw) ? raw : undefined;
}
