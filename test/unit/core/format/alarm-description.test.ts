import { expect, test } from 'vitest';
import { parseAlarmDescription, printAlarmDescription } from '../../../../core/format/alarm-description.ts';

const DESCRIPTION = {
  means: 'RSS of carts-1:6379 has been above 85 % of its limit of 6 GiB for 5 minutes.',
  next: 'Purge or defragment now.',
  severity: 'critical',
  runbook: 'https://wiki.redis.example/offpeak#rss-near-the-limit',
} as const;

test('what is printed is parsed', () => {
  expect(printAlarmDescription(DESCRIPTION).split('\n')).toEqual([
    DESCRIPTION.means,
    'Next: Purge or defragment now.',
    'Severity: critical',
    'Runbook: https://wiki.redis.example/offpeak#rss-near-the-limit',
  ]);
  expect(parseAlarmDescription(printAlarmDescription(DESCRIPTION))).toEqual(DESCRIPTION);
});

test.each([
  ['nothing', ''],
  ['a sentence', 'Checkout fails. Severity: critical'],
  ['another severity', printAlarmDescription(DESCRIPTION).replace('critical', 'high')],
  ['a line too many', `${printAlarmDescription(DESCRIPTION)}\nOwner: checkout`],
  ['a line too few', printAlarmDescription(DESCRIPTION).replace(/\nNext: .*/, '')],
])('%s has no parts', (_, text) => {
  expect(parseAlarmDescription(text)).toBeUndefined();
});
