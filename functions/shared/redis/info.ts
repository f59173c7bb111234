/**
 * INFO as Redis, Valkey and their relatives print it: `field:value` lines under `# Section` headings.
 *
 * The parser trusts nothing: a line without a colon is skipped, a value that is not what the field should hold is absent.
 * Absent is what rules can reason about; NaN is what they cannot (NaN > 5 is false, and so is NaN <= 5).
 */
export type InfoFields = ReadonlyMap<string, string>;

/** Names and values as they come. A field may come several times: old KeyDBs repeat `master_link_status` for each primary. */
export type InfoLines = readonly (readonly [name: string, value: string])[];

/** Replies beyond this are not INFO: Redis' own full text is some 10 kB, the sections that we ask for about 5 kB. */
const MAX_INFO_CHARS = 8 * 1024 * 1024;

/** Every field of one INFO text, or of several put together, in order. Never throws. */
export function infoLines(text: string): InfoLines {
  const lines: (readonly [string, string])[] = [];
  for (const line of text.slice(0, MAX_INFO_CHARS).split(/\r\n?|\n/)) {
    const colon = line.indexOf(':');
    if (colon <= 0 || line.startsWith('#')) continue;
    lines.push([line.slice(0, colon), line.slice(colon + 1).trim()]);
  }
  return lines;
}

/** The first occurrence of a field wins. Where the worst one has to count, `valuesOf` has them all. */
export function parseInfo(text: string): InfoFields {
  return firstOf(infoLines(text));
}

export function firstOf(lines: InfoLines): InfoFields {
  const fields = new Map<string, string>();
  for (const [name, value] of lines) if (!fields.has(name)) fields.set(name, value);
  return fields;
}

/** Each value of the fields that a pattern names. */
export function valuesOf(lines: InfoLines, pattern: RegExp): readonly string[] {
  return lines.filter(([name]) => pattern.test(name)).map(([, value]) => value);
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

/** The same of a value that is at hand. */
export function numberOf(raw: string): number | undefined {
  if (!DECIMAL.test(raw)) return undefined;
  const value = Number(raw);
  return value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}

/** `1` and `0`, as INFO prints its booleans. */
export function flagField(fields: InfoFields, name: string): boolean | undefined {
  const value = numberField(fields, name);
  return value === undefined ? undefined : value !== 0;
}

/** The longest text that INFO prints is `executable`, a path (PATH_MAX). */
const TEXT = /^[^\p{Cc}]{1,4096}$/u;

/**
 * A non-empty text without control characters: versions and run ids are shown on terminals and kept in the state, and neither
 * should take an escape sequence or megabytes from whoever answers on the port.
 */
export function textField(fields: InfoFields, name: string): string | undefined {
  const raw = fields.get(name);
  return raw !== undefined && TEXT.test(raw) ? raw : undefined;
}
