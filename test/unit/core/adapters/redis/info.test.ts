import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  infoLines,
  numberField,
  parseInfo,
  runIdField,
  textField,
  wordField,
} from '../../../../../core/adapters/redis/info.ts';
import { runs } from '../../../../fuzz/runs.ts';
import { INFO_NAMES, infoText } from '../../../../support/info-texts.ts';

describe('a figure', () => {
  test.each([
    ['0', 0],
    ['57090048', 57_090_048],
    ['3.50', 3.5],
    ['0.023454', 0.023454],
    ['007', 7],
    [' 42 ', 42],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('%j is %d', (raw, value) => {
    expect(numberField(parseInfo(`x:${raw}`), 'x')).toBe(value);
  });

  test.each([
    ['empty', ''],
    ['blank', '   '],
    ['nan', 'nan'],
    ['-nan', '-nan'],
    ['inf', 'inf'],
    ['-inf', '-inf'],
    ['Infinity', 'Infinity'],
    ['negative', '-258416'],
    ['negative zero', '-0'],
    ['an underflow printed unsigned (2^64 − n)', '18446744073709255312'],
    ['just beyond what a number holds exactly', '9007199254740992'],
    ['400 digits', '9'.repeat(400)],
    ['hexadecimal', '0x10'],
    ['an exponent', '1e5'],
    ['a trailing percent sign', '32.11%'],
    ['a unit', '54.45M'],
    ['no digits before the point', '.5'],
    ['no digits after it', '5.'],
    ['a decimal comma', '3,50'],
    ['thousands', '1_000'],
    ['a plus sign', '+5'],
    ['two numbers', '5 6'],
    ['a second colon', '5:6'],
    ['digits of another script', '٣'],
    ['a NUL inside', '5\0'],
  ])('%s is absent', (_what, raw) => {
    expect(numberField(parseInfo(`x:${raw}`), 'x')).toBeUndefined();
  });

  test('that is not printed is absent', () => {
    expect(numberField(parseInfo('y:1'), 'x')).toBeUndefined();
  });

  test('is finite and not negative, or absent, whatever is printed', () => {
    const printed = fc.oneof(fc.string(), fc.double().map(String), fc.bigInt().map(String));
    fc.assert(
      fc.property(printed, (raw) => {
        const value = numberField(parseInfo(`x:${raw}`), 'x');
        expect(value === undefined || (Number.isFinite(value) && value >= 0)).toBe(true);
      }),
    );
  });
});

describe('a text', () => {
  test.each([
    ['jemalloc-5.3.0', 'jemalloc-5.3.0'],
    ['POSIX clock_gettime', 'POSIX clock_gettime'],
    ['a:b', 'a:b'],
    ['  padded ', 'padded'],
    ['x'.repeat(4096), 'x'.repeat(4096)],
  ])('is taken as printed', (raw, value) => {
    expect(textField(parseInfo(`x:${raw}`), 'x')).toBe(value);
  });

  test.each([
    ['empty', ''],
    ['an escape sequence, which a terminal would obey', '\u001b[2J7.0.15'],
    ['a NUL', '7.0\0.15'],
    ['longer than any path', 'x'.repeat(4097)],
    ['a control character of Latin 1', '7.0\u009b31m.15'],
    ['a mark that turns what follows', '7.0\u202e.15'],
    ['a line break of Unicode', '7.0\u2028.15'],
    ['half of a character', '7.0\ud800.15'],
  ])('is absent when it is %s', (_what, raw) => {
    expect(textField(parseInfo(`x:${raw}`), 'x')).toBeUndefined();
    expect(wordField(parseInfo(`x:${raw}`), 'x')).toBeUndefined();
  });

  test.each([
    ['7.0.15', '7.0.15'],
    ['df-v1.40.1', 'df-v1.40.1'],
    ['jemalloc-5.2.1-0-gea6b3e9', 'jemalloc-5.2.1-0-gea6b3e9'],
    ['7.0 15', undefined],
    ['7.0.15\u00e9', undefined],
    ['x'.repeat(65), undefined],
  ])('of one word: %j', (raw, value) => {
    expect(wordField(parseInfo(`x:${raw}`), 'x')).toBe(value);
  });

  test.each([
    ['40 digits', 'bae52d4de9b707a164e60591352f9740b4822687', true],
    ['40 large ones', 'BAE52D4DE9B707A164E60591352F9740B4822687', true],
    ['39', 'bae52d4de9b707a164e60591352f9740b482268', false],
    ['41', 'bae52d4de9b707a164e60591352f9740b48226870', false],
    ['1,100 (F13)', 'f'.repeat(1100), false],
    ['a letter that is no digit', 'gae52d4de9b707a164e60591352f9740b4822687', false],
    ['a part of another key', 'bae52d4de9b707a164e60591352f9740b48226#7', false],
    ['none', '', false],
  ])('that names a run of the server: %s', (_what, raw, isOne) => {
    expect(runIdField(parseInfo(`run_id:${raw}`))).toBe(isOne ? raw : undefined);
  });
});

describe('lines', () => {
  test.each([
    ['LF', 'a:1\nb:2\n'],
    ['CRLF', 'a:1\r\nb:2\r\n'],
    ['CR', 'a:1\rb:2\r'],
    ['empty lines and headings between', '# Server\r\n\r\na:1\r\n\r\n# Memory\r\nb:2'],
    ['a line without a colon between', 'a:1\nhalf an ans\nb:2'],
    ['a line that begins with its colon', 'a:1\n:7\nb:2'],
    ['a heading with a colon', '# a:9\na:1\nb:2'],
  ])('%s', (_how, text) => {
    expect([...parseInfo(text)]).toEqual([
      ['a', '1'],
      ['b', '2'],
    ]);
  });

  test('the first of two lines for one field wins', () => {
    expect(numberField(parseInfo('used_memory:1\nused_memory:2'), 'used_memory')).toBe(1);
  });

  test('a field named like a property of every object is a field like any other', () => {
    const fields = parseInfo('__proto__:1\nconstructor:2\ntoString:3');
    expect(['__proto__', 'constructor', 'toString'].map((name) => numberField(fields, name))).toEqual([1, 2, 3]);
    expect(Object.hasOwn(Object.prototype, '1')).toBe(false);
    expect(textField(parseInfo('a:1'), '__proto__')).toBeUndefined();
  });

  test.each([
    ['5 MB without a line break', 'x'.repeat(5_000_000)],
    ['5 MB of line breaks', '\n'.repeat(5_000_000)],
    ['5 MB of colons', ':'.repeat(5_000_000)],
    ['5 MB of NUL bytes', '\0'.repeat(5_000_000)],
    ['half a million fields', Array.from({ length: 500_000 }, (_, index) => `field_${index}:${index}`).join('\r\n')],
  ])('%s hold no field that a rule reads', (_what, text) => {
    const fields = parseInfo(text);
    expect(numberField(fields, 'used_memory')).toBeUndefined();
    expect(textField(fields, 'run_id')).toBeUndefined();
  });

  test('of a text that has millions of them, ten thousand are read', () => {
    expect(infoLines('a:1\n'.repeat(2_000_000))).toHaveLength(10_000);
    expect(infoLines(`${'x\n'.repeat(20_000)}a:1`)).toEqual([]);
  });

  test('any text can be parsed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), (text) => void parseInfo(text)),
      {
        numRuns: runs(0.06),
      },
    );
  });
});

/** As printed in the texts themselves. */
const PRINTED = [
  // name, used_memory, used_memory_rss, allocated, active, resident, frag bytes
  ['redis-7.0.15', 16354624, 57090048, 16411576, 51290112, 53633024, 34878536],
  ['redis-7.0.15-bgsave-in-progress', 277430872, 318828544, 277471432, 310247424, 315662336, 32775992],
  ['redis-7.0.15-debian-system-jemalloc', 16516032, 63541248, 17025544, 52273152, 55599104, 35247608],
  ['redis-7.0.15-defrag-running', 16404000, 57090048, 16695984, 51597312, 53944320, 34901328],
  ['redis-7.0.15-empty', 923648, 5873664, 1084368, 1273856, 2535424, 189488],
  ['redis-7.0.15-primary-with-replica', 1045208, 6012928, 1338320, 1568768, 2830336, 230448],
  ['redis-7.0.15-replica', 923672, 6107136, 1129280, 1327104, 2588672, 197824],
  ['redis-8.2.3', 15852888, 59285504, 16525080, 50728960, 54128640, 34083912],
  ['valkey-8.0.1-system-jemalloc', 16261400, 63074304, 16788552, 51367936, 54652928, 34517944],
  ['valkey-8.1.1-system-jemalloc', 16460176, 64262144, 17025456, 50966528, 52965376, 0],
  ['valkey-9.1.2-system-jemalloc', 16490192, 64499712, 17152664, 51097600, 54378496, 0],
  ['written-dragonfly-1.40.1', 402653184, 671088640, undefined, undefined, undefined, undefined],
  ['written-elasticache-7.1.0', 2596012032, 3650722201, 2596542344, 3435973836, 3543348019, 839431492],
  ['written-garnet-2.1.5', undefined, undefined, undefined, undefined, undefined, undefined],
  ['written-keydb-6.3.4-active-replica', 387423200, 706035200, 387624368, 641900800, 690739200, 254276432],
  ['written-redis-4.0.14', 385187088, 655863808, undefined, undefined, undefined, undefined],
  ['written-redis-7.0-libc', 314572800, 524288000, 314572800, 524191744, 524191744, 209618944],
  ['written-redis-7.0-libc-underflow', 1065392, 761856, 1020272, 723968, 723968, undefined],
] as const;

describe('the INFO texts', () => {
  test.each(PRINTED)('%s', (name, ...figures) => {
    const fields = parseInfo(infoText(name));
    const read = [
      'used_memory',
      'used_memory_rss',
      'allocator_allocated',
      'allocator_active',
      'allocator_resident',
      'allocator_frag_bytes',
    ].map((field) => numberField(fields, field));
    expect(read).toEqual(figures);
  });

  test('are all in the table', () => {
    expect(PRINTED.map(([name]) => name)).toEqual(INFO_NAMES);
  });

  test.each(INFO_NAMES)('%s names no path of the machine that it was captured on', (name) => {
    const paths = infoText(name).match(/(?<=[:\s])\/[^\s,]+/g) ?? [];
    expect(paths.filter((path) => !/^\/(usr\/(local\/)?bin|etc)\//.test(path))).toEqual([]);
  });
});
