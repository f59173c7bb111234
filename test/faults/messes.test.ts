import { expect, test } from 'vitest';
import { messesOf } from './messes.ts';

const BEFORE = { activedefrag: 'no', hz: '10' };

test.each([
  ['nothing', BEFORE, [], []],
  ['a setting', { activedefrag: 'yes', hz: '10' }, [], ['activedefrag: no became yes']],
  ['a setting that is gone', { activedefrag: 'no' }, [], ['hz: 10 became undefined']],
  ['a setting that was not there', { ...BEFORE, dir: '/' }, [], ['dir: undefined became /']],
  ['a lease', BEFORE, ['lease#ill'], ['lease#ill']],
  ['an alert', BEFORE, ['outbox#test/ill/a:1/purged'], ['outbox#test/ill/a:1/purged']],
  ['what was learned of a node, and a pause', BEFORE, ['node#a:1', 'record#a:1', 'pause#ill'], []],
  ['all of them', { ...BEFORE, hz: '100' }, ['lease#ill', 'outbox#a'], ['hz: 10 became 100', 'lease#ill', 'outbox#a']],
])('%s left behind', (_what, settings, keys, messes) => {
  const documents = new Map(keys.map((key) => [key, { value: { status: 'active' }, version: 1 }]));
  expect(messesOf(BEFORE, settings, documents)).toEqual(messes);
});

test('a quarantined lease is not left behind', () => {
  const documents = new Map([['lease#ill#0a1b', { value: { status: 'quarantined' }, version: 1 }]]);
  expect(messesOf(BEFORE, BEFORE, documents)).toEqual([]);
});
