import fc from 'fast-check';
import { place } from './place.ts';

/** Texts that have meant something to Slack, to a terminal, to JSON or to JavaScript. */
const HOSTILE = [
  '',
  ' ',
  '<!channel>',
  '<!here|@here> @channel @everyone',
  '<@U012AB3CD>',
  '<https://bank.example|your bank>',
  '&lt;!channel&gt; & <',
  '*bold* _it_ ~no~ `code` ```',
  '\u0000\u0007\u001b[31m\r\n\t\u2028',
  '\u202egnp.exe\ufeff',
  '\ud83c',
  '__proto__',
  '1e999',
  'https://docs.example/?a=1&b=<2>#c',
] as const;

export const hostileText = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.string({ unit: 'binary', maxLength: 30 }),
  // Longer than any limit of Slack's, shorter than what would make the whole run slow.
  fc.tuple(fc.constantFrom(...HOSTILE), fc.integer({ min: 1, max: 2_000 })).map(([text, times]) => text.repeat(times)),
);

/** What stands where something else was expected. */
const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: hostileText },
  fc.constantFrom<unknown>(null, true, false, [], {}, [[]], -1, 0, 1e308, -1e308, 5e-324, 2 ** 53, 1e21, 0.1),
  fc.jsonValue({ maxDepth: 2 }),
);

type Change = (value: unknown) => unknown;

/** Applied to one value inside of the document, wherever `path` leads. */
const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 3,
    arbitrary: oddValue.map(
      (odd): Change =>
        () =>
          odd,
    ),
  },
  { weight: 2, arbitrary: fc.constant<Change>(() => undefined) },
  fc.constantFrom<Change>(
    (value) => [value],
    (value) => ({ value }),
    (value) => String(value),
    (value) => JSON.stringify(value),
    (value) => (Array.isArray(value) ? [...value, ...value, ...value] : value),
    (value) => (typeof value === 'string' ? Number(value) || 0 : value),
  ),
  hostileText.map(
    (text): Change =>
      (value) =>
        typeof value === 'string' ? value + text : { [text]: value },
  ),
);

type Path = readonly string[];

/** Of every value in the document: a level deeper is no less likely. */
function pathsOf(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key]))];
}

function changedAt(value: unknown, [key, ...rest]: Path, apply: Change): unknown {
  if (key === undefined || typeof value !== 'object' || value === null) return apply(value);
  const entries = Object.entries(value).map(
    ([name, inner]) => [name, name === key ? changedAt(inner, rest, apply) : inner] as const,
  );
  return Array.isArray(value) ? entries.map(([, inner]) => inner) : Object.fromEntries(entries);
}

const mutation = fc.tuple(place, change).map(([share, apply]) => (document: unknown) => {
  const paths = pathsOf(document);
  return asJson(changedAt(document, paths[Math.floor(share * paths.length)] ?? [], apply));
});

/** One of the documents, with up to four values in it replaced, gone, wrapped, repeated or made hostile: JSON still. */
export function mutatedJson(documents: readonly unknown[]): fc.Arbitrary<unknown> {
  return fc
    .tuple(fc.constantFrom(...documents), fc.array(mutation, { maxLength: 4 }))
    .map(([document, mutations]) => mutations.reduce<unknown>((value, mutate) => mutate(value), document));
}

/** As it arrives over the wire: what JSON cannot hold is gone. */
function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value) ?? 'null');
}

type TextChange = (text: string) => string;

const textChange: fc.Arbitrary<TextChange> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<TextChange>((text) => text) },
  place.map(
    (share): TextChange =>
      (text) =>
        text.slice(0, Math.floor(share * text.length)),
  ),
  fc.constantFrom<TextChange>(
    (text) => `\ufeff${text}`,
    (text) => JSON.stringify(text),
    (text) => text + text,
    // Infinity, to whoever parses it.
    (text) => text.replaceAll(/:-?\d+(\.\d+)?/g, ':1e999'),
    (text) => text.replace(/:-?\d+(\.\d+)?/, ':-1e999'),
  ),
  fc.tuple(place, hostileText).map(
    ([share, odd]): TextChange =>
      (text) => {
        const at = Math.floor(share * text.length);
        return text.slice(0, at) + odd + text.slice(at);
      },
  ),
);

/** Such a document as text, which now and then is JSON no more. */
export function mutatedText(documents: readonly unknown[]): fc.Arbitrary<string> {
  return fc.tuple(mutatedJson(documents), textChange).map(([document, apply]) => apply(JSON.stringify(document)));
}
