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
    `If ALARM (critical): ${DESCRIPTION.means}`,
    'What to do then: Purge or defragment now.',
    'If OK: it is over. Nothing to do.',
    'If INSUFFICIENT_DATA: CloudWatch has no values, so whether it holds is unknown.',
    'Runbook: https://wiki.redis.example/offpeak#rss-near-the-limit',
  ]);
  expect(parseAlarmDescription(printAlarmDescription(DESCRIPTION))).toEqual(DESCRIPTION);
});

test.each([
  ['nothing', ''],
  ['a sentence', 'Checkout fails. Severity: critical'],
  ['another severity', printAlarmDescription(DESCRIPTION).replace('critical', 'high')],
  ['a line too many', `${printAlarmDescription(DESCRIPTION)}\nOwner: checkout`],
  ['a line too few', printAlarmDescription(DESCRIPTION).replace(/\nWhat to do then: .*/, '')],
])('%s has no parts', (_, text) => {
  expect(parseAlarmDescription(text)).toBeUndefined();
});
