import fc from 'fast-check';

/** RESP2 as a server writes it. */
export type Reply =
  | { readonly simple: string }
  | { readonly error: string }
  | { readonly number: number }
  | { readonly text: string }
  | { readonly list: readonly Reply[] }
  | null;

/** Each character is a byte. */
export function encoded(reply: Reply): string {
  if (reply === null) return '$-1\r\n';
  if ('simple' in reply) return `+${reply.simple}\r\n`;
  if ('error' in reply) return `-${reply.error}\r\n`;
  if ('number' in reply) return `:${reply.number}\r\n`;
  if ('text' in reply) return `$${reply.text.length}\r\n${reply.text}\r\n`;
  return `*${reply.list.length}\r\n${reply.list.map(encoded).join('')}`;
}

export const bytesOf = (text: string) => Buffer.from(text, 'latin1');

const byte = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
const anyBytes = fc.string({ unit: byte, maxLength: 40 });
const line = anyBytes.map((text) => text.replace(/[\r\n]/g, ' '));

const leaf: fc.Arbitrary<Reply> = fc.oneof(
  line.map((simple) => ({ simple })),
  line.map((error) => ({ error: `ERR ${error}` })),
  fc.maxSafeInteger().map((number) => ({ number })),
  anyBytes.map((text) => ({ text })),
  fc.constant(null),
);

const nested = (depth: number): fc.Arbitrary<Reply> =>
  depth === 0
    ? leaf
    : fc.oneof(
        { weight: 3, arbitrary: leaf },
        { weight: 1, arbitrary: fc.array(nested(depth - 1), { maxLength: 4 }).map((list) => ({ list })) },
      );

/** A reply that no rule forbids: lists nest at most four deep. */
export const anyReply: fc.Arbitrary<Reply> = nested(4);

const HEADERS = ['+', '-', ':', '$', '*', '_', '#', ',', '(', '!', '=', '%', '~', '|', '>'];
const LENGTHS = [
  '0',
  '1',
  '3',
  '-1',
  '-2',
  '-0',
  '+1',
  '00',
  '1e3',
  '0x10',
  '',
  ' ',
  '10001',
  '536870912',
  '1000000000',
];

/** Bytes that a parser may trip over. */
export const oddBytes: fc.Arbitrary<string> = fc.oneof(
  anyBytes,
  fc.tuple(fc.constantFrom(...HEADERS), fc.constantFrom(...LENGTHS)).map(([type, length]) => `${type}${length}\r\n`),
  fc.integer({ min: 1, max: 200 }).map((depth) => `${'*1\r\n'.repeat(depth)}:1\r\n`),
  fc.integer({ min: 1, max: 3000 }).map((count) => '*0\r\n'.repeat(count)),
  fc.integer({ min: 1, max: 3000 }).map((count) => ':1\r\n'.repeat(count)),
  fc.integer({ min: 1, max: 200_000 }).map((count) => `+${'x'.repeat(count)}`),
  fc.constantFrom(
    '$-1\r\n',
    '*-1\r\n',
    '+OK\r\n',
    '-ERR \r\n',
    '_\r\n',
    '#t\r\n',
    '%1\r\n+a\r\n+b\r\n',
    '>3\r\n+message\r\n+a\r\n+b\r\n',
    '>1\r\n$-1\r\n',
    '*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n',
    '*1\r\n$-1\r\n',
    '-ERR max number of clients reached\r\n',
    'HTTP/1.1 400 Bad Request\r\n\r\n',
    '\r\n',
    '\n',
    '\0',
  ),
);

type Mutation = (text: string) => string;
const share = fc.double({ min: 0, max: 1, noNaN: true });
const at = (text: string, where: number) => Math.floor(where * text.length);

/** What happens to a stream of bytes on the way, or in a server that is broken. */
export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(share, byte).map(
    ([where, odd]): Mutation =>
      (text) =>
        spliced(text, at(text, where), 1, odd),
  ),
  fc.tuple(share, oddBytes).map(
    ([where, odd]): Mutation =>
      (text) =>
        spliced(text, at(text, where), 0, odd),
  ),
  share.map(
    (where): Mutation =>
      (text) =>
        spliced(text, at(text, where), 1, ''),
  ),
  share.map(
    (where): Mutation =>
      (text) =>
        text.slice(0, at(text, where)),
  ),
  fc.tuple(share, fc.nat({ max: 60 })).map(
    ([where, length]): Mutation =>
      (text) => {
        const from = at(text, where);
        return spliced(text, from, 0, text.slice(from, from + length));
      },
  ),
);

function spliced(text: string, from: number, removed: number, added: string): string {
  return text.slice(0, from) + added + text.slice(from + removed);
}

/** The same bytes in pieces, which end where `cuts` say (0 to 1). */
export function inPieces(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const ends = [...cuts.map((cut) => Math.floor(cut * bytes.length)), bytes.length].toSorted((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}
