import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RESP_LIMITS, RespGuard } from '../../../../../core/adapters/redis/resp-guard.ts';
import { INFO_NAMES, infoText } from '../../../../support/info-texts.ts';
import { anyReply, bytesOf, encoded, inPieces, mutation, oddBytes, type Reply } from '../../../../support/resp.ts';

/** The verdict on these pieces as replies to so many commands. */
function verdict(pieces: readonly (string | Buffer)[], replies: number): string {
  const guard = new RespGuard();
  guard.expect(replies);
  for (const piece of pieces) {
    const violation = guard.feed(typeof piece === 'string' ? bytesOf(piece) : piece);
    if (violation !== undefined) return violation;
  }
  return guard.isComplete ? 'complete' : 'more to come';
}

const TEXT_LIMIT = RESP_LIMITS.text;

describe('what passes', () => {
  const rows: readonly (readonly [what: string, bytes: string])[] = [
    ['a simple string', '+OK\r\n'],
    ['an empty one', '+\r\n'],
    ['an error', '-ERR no such thing\r\n'],
    ['a number', ':42\r\n'],
    ['a negative one', ':-1\r\n'],
    ['the largest one', ':18446744073709551615\r\n'],
    ['a text', '$5\r\nhello\r\n'],
    ['an empty text', '$0\r\n\r\n'],
    ['a text of line ends and headers', '$9\r\n\r\n$-1\r\n*3\r\n'],
    ['null', '$-1\r\n'],
    ['a list', '*2\r\n:1\r\n$1\r\na\r\n'],
    ['an empty list', '*0\r\n'],
    ['a list that is null', '*-1\r\n'],
    ['a list with nulls, errors and empty lists', '*4\r\n$-1\r\n-ERR a\r\n*0\r\n*-1\r\n'],
    ['lists within lists', '*2\r\n*2\r\n*1\r\n:1\r\n:2\r\n*1\r\n:3\r\n'],
    ['four lists within each other', `${'*1\r\n'.repeat(4)}:1\r\n`],
    ['a text of 8 MiB', `$${TEXT_LIMIT}\r\n${'x'.repeat(TEXT_LIMIT)}\r\n`],
    ['a line of 128 KiB', `+${'x'.repeat(RESP_LIMITS.line)}\r\n`],
    ['a list of 10,000 elements', `*${RESP_LIMITS.elements}\r\n${':1\r\n'.repeat(RESP_LIMITS.elements)}`],
  ];

  test.each(rows)('%s', (_, bytes) => {
    expect(verdict([bytes], 1)).toBe('complete');
  });

  test.each(INFO_NAMES)('the look at a server that says %s', (name) => {
    const info: Reply = { text: infoText(name) };
    const config: Reply = { list: [{ text: 'hz' }, { text: '10' }] };
    const cycle: Reply = { list: [{ text: 'active-defrag-cycle' }, { number: 1 }, { number: 2 }, { number: 3 }] };
    const history: Reply = {
      list: Array.from({ length: 160 }, (_, at) => ({ list: [{ number: at }, { number: 1 }] })),
    };
    const look = [config, config, config, { list: [cycle] }, history, info, info, info, info, info, info, info];
    expect(verdict([look.map(encoded).join('')], look.length)).toBe('complete');
  });
});

describe('what does not', () => {
  const rows: readonly (readonly [what: string, bytes: string, violation: RegExp])[] = [
    ['null as one reply too many (F1)', '+OK\r\n$-1\r\n', /^a reply without a command$/],
    ['a null list as one reply too many', '+OK\r\n*-1\r\n', /^a reply without a command$/],
    ['an error as one reply too many', '+OK\r\n-ERR a\r\n', /^a reply without a command$/],
    ['a number as one reply too many', '+OK\r\n:1\r\n', /^a reply without a command$/],
    ['a push', '>1\r\n+message\r\n', /RESP3/],
    ['a push within a list', '*1\r\n>1\r\n+a\r\n', /RESP3/],
    ['a null of RESP3', '_\r\n', /RESP3/],
    ['a boolean', '#t\r\n', /RESP3/],
    ['a map', '%1\r\n+a\r\n+b\r\n', /RESP3/],
    ['an attribute', '|1\r\n+a\r\n+b\r\n', /RESP3/],
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\n', /are not the beginning of a reply/],
    ['a greeting', '220 mail.example ESMTP\r\n', /are not the beginning of a reply/],
    ['a NUL', '\0', /are not the beginning of a reply/],
    ['a line break', '\r\n', /are not the beginning of a reply/],
    ['a text of 512 MB, by its header', '$536870912\r\n', /more than 8 MiB/],
    ['a text of one byte too many', `$${TEXT_LIMIT + 1}\r\n`, /more than 8 MiB/],
    ['a list of a thousand million elements', '*1000000000\r\n', /more than 10,000 elements/],
    ['lists of 10,000 elements together', `*2\r\n*9998\r\n${':1\r\n'.repeat(9998)}*1\r\n`, /more than 10,000 elements/],
    ['five lists within each other', '*1\r\n'.repeat(5), /nest more than 4 deep/],
    ['an endless line', `+${'x'.repeat(RESP_LIMITS.line + 1)}`, /a line of more than 128 KiB/],
    ['an endless error', `-${'x'.repeat(RESP_LIMITS.line + 1)}`, /a line of more than 128 KiB/],
    ['an endless length', `$${'1'.repeat(33)}`, /a number of more than 32 bytes/],
    ['a length below null', '$-2\r\n', /whose length is not a number/],
    ['a negative length of a list', '*-2\r\n', /whose length is not a number/],
    ['a negative zero', '$-0\r\n', /whose length is not a number/],
    ['a length with a sign', '$+1\r\n', /whose length is not a number/],
    ['a length with a zero in front', '$01\r\n', /whose length is not a number/],
    ['a length in hexadecimal', '$0x1\r\n', /whose length is not a number/],
    ['a length with an exponent', '*1e3\r\n', /whose length is not a number/],
    ['no length', '$\r\n', /whose length is not a number/],
    ['a number that is a word', ':nan\r\n', /a malformed number/],
    ['no number', ':\r\n', /a malformed number/],
    ['a number of 21 digits', `:${'1'.repeat(21)}\r\n`, /a malformed number/],
    ['a text that is longer than it says', '$1\r\nab\r\n', /another length/],
    ['a text without its end', '$1\r\na$1\r\n', /another length/],
    ['a text that ends in a line feed only', '$1\r\na\n', /another length/],
    ['a carriage return alone', '+a\rb', /a line without a line feed at its end/],
    ['a line feed alone', '+a\n', /ends too early/],
  ];

  test.each(rows)('%s', (_, bytes, violation) => {
    expect(verdict([bytes], 1)).toMatch(violation);
    expect(verdict(bytes.split(''), 1)).toMatch(violation);
  });

  test('a text is refused by its header, before one byte of it', () => {
    const guard = new RespGuard();
    guard.expect(1);
    expect(guard.feed(bytesOf(`$${TEXT_LIMIT + 1}\r`))).toBeUndefined();
    expect(guard.feed(bytesOf('\n'))).toMatch(/more than 8 MiB/);
  });

  test('three texts of 8 MiB for one look, by the header of the third', () => {
    const text = `$${TEXT_LIMIT}\r\n${'x'.repeat(TEXT_LIMIT)}\r\n`;
    const guard = new RespGuard();
    guard.expect(3);
    expect(guard.feed(bytesOf(text))).toBeUndefined();
    expect(guard.feed(bytesOf(text.slice(0, 12)))).toMatch(/more than 16 MiB/);
  });

  test('more than 16 MiB of small replies', () => {
    const guard = new RespGuard();
    guard.expect(Number.MAX_SAFE_INTEGER);
    const replies = bytesOf(':1\r\n'.repeat(262_144));
    const verdicts = Array.from({ length: 17 }, () => guard.feed(replies));
    expect(verdicts.slice(0, 16)).toEqual(Array(16).fill(undefined));
    expect(verdicts[16]).toMatch(/more than 16 MiB/);
  });

  test('what comes before any command, but an error line: what it says counts', () => {
    for (const byte of [':', '+', '$', '*'])
      expect(new RespGuard().feed(bytesOf(byte))).toBe('a reply without a command');
    const farewell = new RespGuard();
    expect(farewell.feed(bytesOf('-ERR max number of clients reached\r'))).toBeUndefined();
    expect(farewell.isComplete).toBe(false);
    expect(farewell.feed(bytesOf('\n'))).toBe('a reply without a command');
  });

  test('anything after it: the verdict is final', () => {
    const guard = new RespGuard();
    guard.expect(1);
    const violation = guard.feed(bytesOf('>'));
    guard.expect(1);
    expect(guard.feed(bytesOf('+OK\r\n'))).toBe(violation);
  });
});

test('each send has its own 16 MiB and its own 10,000 elements', () => {
  const guard = new RespGuard();
  const text = bytesOf(`$${TEXT_LIMIT}\r\n${'x'.repeat(TEXT_LIMIT)}\r\n`);
  const list = bytesOf(`*${RESP_LIMITS.elements}\r\n${':1\r\n'.repeat(RESP_LIMITS.elements)}`);
  for (let send = 0; send < 4; send++) {
    guard.expect(2);
    expect(guard.feed(text)).toBeUndefined();
    expect(guard.feed(list)).toBeUndefined();
    expect(guard.isComplete).toBe(true);
  }
});

test('a description of a Cluster may be longer, and what is sent after it may not', () => {
  const guard = new RespGuard();
  const list = bytesOf(`*20000\r\n${':1\r\n'.repeat(20_000)}`);
  guard.expect(1, RESP_LIMITS.clusterElements);
  expect(guard.feed(list)).toBeUndefined();
  guard.expect(1);
  expect(guard.feed(list)).toBe('lists of more than 10,000 elements');
});

const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 });

describe('for any bytes', () => {
  const stream = fc
    .tuple(
      fc.array(anyReply, { maxLength: 5 }),
      fc.array(mutation, { maxLength: 3 }),
      fc.array(oddBytes, { maxLength: 2 }),
    )
    .map(([replies, mutations, odd]) =>
      mutations.reduce((text, mutate) => mutate(text), replies.map(encoded).join('') + odd.join('')),
    );

  test('the verdict is the same in whatever pieces they come', () => {
    fc.assert(
      fc.property(stream, fc.nat({ max: 6 }), cuts, (text, replies, ends) => {
        const whole = verdict([text], replies);
        expect(verdict(inPieces(bytesOf(text), ends), replies)).toBe(whole);
        if (text.length < 5000) expect(verdict(text.split(''), replies)).toBe(whole);
      }),
    );
  });

  test('replies to as many commands pass, and one more does not', () => {
    fc.assert(
      fc.property(fc.array(anyReply, { minLength: 1, maxLength: 5 }), anyReply, cuts, (replies, extra, ends) => {
        const bytes = bytesOf(replies.map(encoded).join(''));
        expect(verdict(inPieces(bytes, ends), replies.length)).toBe('complete');
        expect(verdict(inPieces(bytes, ends), replies.length + 1)).toBe('more to come');
        expect(verdict([bytes, encoded(extra)], replies.length)).toBe('a reply without a command');
      }),
    );
  });

  test('what passes is RESP2 within the limits, by a parser that is written the simple way', () => {
    fc.assert(
      fc.property(stream, fc.nat({ max: 6 }), (text, replies) => {
        if (verdict([text], replies) === 'complete') expect(replies === 0 ? [] : parsed(text)).toHaveLength(replies);
      }),
    );
  });
});

/** All replies of a whole text. @throws for what is none. */
function parsed(text: string): readonly unknown[] {
  const replies: unknown[] = [];
  for (let rest = text; rest !== ''; ) {
    const [reply, after] = parsedOne(rest, 0);
    replies.push(reply);
    rest = after;
  }
  return replies;
}

type Parsed = readonly [reply: unknown, rest: string];

function parsedOne(text: string, depth: number): Parsed {
  const end = text.indexOf('\r\n');
  if (end < 0 || depth > RESP_LIMITS.depth) throw new Error('no end of a line, or too deep');
  const [type = '', header, rest] = [text[0], text.slice(1, end), text.slice(end + 2)];
  if ('+-'.includes(type)) return [header, rest];
  const number = Number(header);
  if (!Number.isInteger(number)) throw new Error('no number');
  if (type === ':' || number === -1) return [number, rest];
  if (type === '*') return parsedList(number, rest, depth + 1);
  if (type !== '$' || rest.slice(number, number + 2) !== '\r\n') throw new Error('no text');
  return [rest.slice(0, number), rest.slice(number + 2)];
}

function parsedList(length: number, text: string, depth: number): Parsed {
  const list: unknown[] = [];
  let rest = text;
  while (list.length < length) {
    const [reply, after] = parsedOne(rest, depth);
    list.push(reply);
    rest = after;
  }
  return [list, rest];
}
