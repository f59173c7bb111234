// Names are reduced to patterns: what tells keys apart becomes `*`, and a word stays only where enough different keys share it. So neither a
// name, nor a part of one that belongs to few keys, is ever printed.

/** A word stays in a pattern if this many different keys of the sample share it and all before it … */
export const LEAST_KEYS = 10;
/** … and this share of the sample. */
const LEAST_SHARE = 0.0005;
/** With more words in one place than this, they are values, like the names of customers; at the beginning of a name, kinds of keys. */
const MOST_WORDS = 32;
const MOST_KINDS = 100;
/** Of one name: what comes after is `*`. */
const MOST_TOKENS = 24;
const MOST_CHARACTERS = 512;

const ALONE = '(?<![A-Za-z0-9])';
const ENDS = '(?![A-Za-z0-9])';

const VARIABLE: readonly RegExp[] = [
  // UUID
  new RegExp(`${ALONE}[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}${ENDS}`, 'gi'),
  // A date, with or without its time
  /\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?/g,
  // Eight hexadecimal digits and more, of which one is a number
  new RegExp(`${ALONE}(?=[a-f]*\\d)[0-9a-f]{8,}${ENDS}`, 'gi'),
  /\d+/g,
];

/** A word: letters. What else is between separators, like a percent sign or a letter beyond ASCII, is a value. */
const WORD = /^[A-Za-z*]{1,24}$/;
const SEPARATORS = /([:./|#_\-{}@,;=+ ])/;

/** The pattern of each name, in order. */
export function patternsOf(names: readonly string[]): readonly string[] {
  const different = [...new Set(names)];
  const least = Math.max(LEAST_KEYS, Math.ceil(different.length * LEAST_SHARE));
  const patterns = new Map<string, string>();
  const keys = different.map((name) => ({ name, tokens: tokensOf(name) }));
  descend(keys, { depth: 0, before: '', least }, patterns);
  return names.map((name) => patterns.get(name) ?? '*');
}

function tokensOf(name: string): readonly string[] {
  const cut = name.length > MOST_CHARACTERS ? `${name.slice(0, MOST_CHARACTERS)}*` : name;
  const reduced = VARIABLE.reduce((text, pattern) => text.replace(pattern, '*'), cut);
  const tokens = reduced
    .split(SEPARATORS)
    .filter((token) => token !== '')
    .map((token) => (WORD.test(token) || SEPARATORS.test(token) ? token.replace(/\*+/g, '*') : '*'));
  return tokens.length > MOST_TOKENS ? [...tokens.slice(0, MOST_TOKENS), '*'] : tokens;
}

interface Key {
  readonly name: string;
  readonly tokens: readonly string[];
}

interface Place {
  readonly depth: number;
  /** The pattern so far. */
  readonly before: string;
  readonly least: number;
}

/** Keys that agree so far: by their next word, where enough of them share it; the others together. */
function descend(keys: readonly Key[], { depth, before, least }: Place, patterns: Map<string, string>): void {
  const ended = keys.filter(({ tokens }) => tokens.length <= depth);
  for (const { name } of ended) patterns.set(name, before === '' ? '*' : before);
  const going = keys.filter(({ tokens }) => tokens.length > depth);
  const groups = Map.groupBy(going, ({ tokens }) => tokens[depth] ?? '');
  const shared = [...groups].filter(([token, group]) => token !== '*' && group.length >= least);
  const kept = new Map(shared.length > (depth === 0 ? MOST_KINDS : MOST_WORDS) ? [] : shared);
  const rest = [...groups].flatMap(([token, group]) => (kept.has(token) ? [] : group));
  for (const [token, group] of kept) descend(group, { depth: depth + 1, before: before + token, least }, patterns);
  if (rest.length > 0)
    descend(rest, { depth: depth + 1, before: before.endsWith('*') ? before : `${before}*`, least }, patterns);
}

/** How many characters of the name its pattern leaves open. */
export function openCharacters(name: string, pattern: string): number {
  return Math.max(0, name.length - pattern.replaceAll('*', '').length);
}
