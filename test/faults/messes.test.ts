import { expect, test } from 'vitest';
import { messesOf } from './messes.ts';

const BEFORE = { activedefrag: 'no', hz: '10' };

test.each([
  ['nothing', BEFORE, [], []],
  ['a setting', { activedefrag: 'yes', hz: '10' }, [], ['activedefrag: no became yes']],
  ['a setting that is gone', { activedefrag: 'no' }, [], ['hz: 10 became undefined']],
  ['a setting that was not there', { ...BEFORE, dir: '/' }, [], ['dir: undefined became /']],
  ['a lease', BEFORE, ['lease#ill'], ['lease#ill']],
  ['a lease that was set aside', BEFORE, ['lease#ill#0a1b'], []],
  ['an alert', BEFORE, ['outbox#test/ill/a:1/purged'], ['outbox#test/ill/a:1/purged']],
  ['what was learned of a node, and a pause', BEFORE, ['node#a:1', 'record#a:1', 'pause#ill'], []],
  ['all of them', { ...BEFORE, hz: '100' }, ['lease#ill', 'outbox#a'], ['hz: 10 became 100', 'lease#ill', 'outbox#a']],
])('%s left behind', (_what, settings, keys, messes) => {
  expect(messesOf(BEFORE, settings, keys)).toEqual(messes);
});
