import { describe, expect, test } from 'vitest';
import type { Handles } from './state-store-contract.ts';

const ODD_KEYS = [
  'node#sessions#10.0.0.1:6379',
  'node#sessions#[fd00::1]:6379',
  'history#10.0.0.1:6379',
  'run#99d5e1fdd2339affe42c3cbe335cf28707b6eb77',
  '__proto__',
  'constructor',
  '17',
  'with "quotes", \\backslashes\\ and a\nnew line',
  '../../etc/passwd',
  'ключ#é#🔑',
  ' ',
];

/** What a store may be given: no more than a DynamoDB item holds (400 kB, 32 levels, numbers of 38 digits). */
const VALUES: readonly (readonly [string, unknown])[] = [
  ['null', null],
  ['an empty text', ''],
  ['a number', -12.5e-3],
  ['the largest safe number', Number.MAX_SAFE_INTEGER],
  ['an empty array', []],
  ['an empty object', {}],
  ['unicode', { 'schlüssel 🔑': 'naïve – 日本語 \u0000\u001f "quoted" \\ \n' }],
  ['a __proto__ of its own', JSON.parse('{"__proto__": {"admin": true}, "constructor": 1}')],
  ['30 levels', nested(30)],
  ['100 kB', { text: 'ab🔑'.repeat(17_000), list: Array.from({ length: 500 }, (_, i) => ({ i, at: i / 3 })) }],
];

const cyclic: Record<string, unknown> = {};
cyclic.self = cyclic;

/** What JSON would lose or change without a word. */
const NO_JSON: readonly (readonly [string, unknown])[] = [
  ['undefined', undefined],
  ['a function', () => 1],
  ['NaN within', { deep: [1, { ratio: Number.NaN }] }],
  ['infinity', Number.POSITIVE_INFINITY],
  ['a bigint', 1n],
  ['a symbol', Symbol('s')],
  ['an undefined property', { gone: undefined }],
  ['a sparse array', new Array(3)],
  ['a date', { at: new Date(0) }],
  ['a map', new Map([['a', 1]])],
  ['an object that turns itself into something else', { toJSON: () => 1 }],
  ['a cycle', cyclic],
];

function nested(levels: number): unknown {
  return levels === 0 ? 'bottom' : { level: levels, inner: nested(levels - 1) };
}

export function keysAndPrefixes(handles: () => Handles): void {
  describe('keys', () => {
    test('a list holds what starts with the prefix, and nothing else', async () => {
      const { other, mustWrite } = handles();
      const keys = ['lease#a', 'lease#ab', 'lease#a#b', 'lease', 'node#a', 'LEASE#a', 'xlease#a', 'lease_a', 'lease%a'];
      for (const key of keys) await mustWrite(key, { of: key });
      const listed = async (prefix: string) => [...(await other.list(prefix)).keys()].sort();
      expect(await listed('lease#a')).toEqual(['lease#a', 'lease#a#b', 'lease#ab']);
      expect(await listed('lease#a#')).toEqual(['lease#a#b']);
      expect(await listed('lease#')).toEqual(['lease#a', 'lease#a#b', 'lease#ab']);
      expect(await listed('lease%')).toEqual(['lease%a']);
      expect(await listed('.*')).toEqual([]);
      expect(await listed('')).toEqual([...keys].sort());
    });

    test('several are read at once, those that exist, each as a read gives it', async () => {
      const { store, other, mustWrite } = handles();
      const keys = ['lease#a', 'history#a:1', 'record#a:1', 'run#a'];
      for (const key of keys) await mustWrite(key, { of: key });
      await other.remove('run#a', (await store.read('run#a'))?.version ?? 0);
      const read = await other.readAll([...keys, 'history#b:1', 'lease', 'lease#a']);
      expect([...read.keys()].sort()).toEqual(['history#a:1', 'lease#a', 'record#a:1']);
      for (const [key, stored] of read) expect(await store.read(key)).toEqual(stored);
      expect((await store.readAll([])).size).toBe(0);
    });

    test('a list holds what starts with the prefix, wherever it is kept', async () => {
      const { other, mustWrite } = handles();
      const keys = ['history#a', 'history#b', 'record#a', 'run#a', 'rum#a', 'h'];
      for (const key of keys) await mustWrite(key, { of: key });
      const listed = async (prefix: string) => [...(await other.list(prefix)).keys()];
      expect(await listed('history#')).toEqual(['history#a', 'history#b']);
      expect(await listed('h')).toEqual(['h', 'history#a', 'history#b']);
      expect(await listed('ru')).toEqual(['rum#a', 'run#a']);
      expect(await listed('')).toEqual(keys.toSorted());
    });

    test('a list gives the same values and versions as a read', async () => {
      const { store, other, mustWrite } = handles();
      for (const key of ['lease#a', 'lease#b']) await mustWrite(key, { of: key });
      const listed = await other.list('lease#');
      expect(listed.size).toBe(2);
      for (const [key, stored] of listed) expect(await store.read(key)).toEqual(stored);
    });

    test.each(ODD_KEYS)('the key %j is a key like any other', async (key) => {
      const { store, other, mustWrite } = handles();
      expect(await store.read(key)).toBeUndefined();
      const first = await mustWrite(key, { of: key });
      const second = await mustWrite(key, { of: key, n: 2 }, first);
      expect(await other.read(key)).toEqual({ value: { of: key, n: 2 }, version: second });
      expect([...(await other.list(key)).keys()]).toEqual([key]);
      expect(await other.remove(key, second)).toBe(true);
      expect(await store.read(key)).toBeUndefined();
    });
  });
}

export function valuesAsGiven(handles: () => Handles): void {
  describe('values', () => {
    test.each(VALUES)('%s comes back as it was', async (_, value) => {
      const { other, mustWrite } = handles();
      const version = await mustWrite('k', value);
      expect(await other.read('k')).toStrictEqual({ value, version });
    });

    test.each(NO_JSON)('%s is refused, and nothing is written', async (_, value) => {
      const { store, other, mustWrite } = handles();
      await expect(store.write('fresh', value, undefined)).rejects.toThrow(TypeError);
      const version = await mustWrite('k', 'good');
      await expect(store.write('k', value, version)).rejects.toThrow(/"k"/);
      expect(await other.list('')).toEqual(new Map([['k', { value: 'good', version }]]));
    });

    test('what the caller does to a value later never reaches the store', async () => {
      const { store } = handles();
      const value = { prior: { hz: '10' } };
      const writing = store.write('k', value, undefined);
      value.prior.hz = '100';
      await writing;
      value.prior.hz = '500';
      expect((await store.read('k'))?.value).toEqual({ prior: { hz: '10' } });
    });

    test('what is done to a returned value never reaches the store or another reader', async () => {
      const { store, mustWrite } = handles();
      await mustWrite('k', { list: [1] });
      const [one, two] = [await store.read('k'), await store.read('k')];
      const listed = (await store.list('k')).get('k');
      for (const stored of [one, listed]) Object.assign(Object(stored?.value).list, [2, 3]);
      expect(two?.value).toEqual({ list: [1] });
      expect((await store.read('k'))?.value).toEqual({ list: [1] });
      expect((await store.list('k')).get('k')?.value).toEqual({ list: [1] });
    });
  });
}
