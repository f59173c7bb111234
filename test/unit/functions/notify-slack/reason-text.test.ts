import { expect, test } from 'vitest';
import { reasonText } from '../../../../functions/notify-slack/message/reason-text.ts';

test.each<[reason: string, unit: string | undefined, shown: string]>([
  [
    '[5.601230848E9 (23/11/26 02:04:00)] was greater than the threshold (5.476083302E9)',
    'Bytes',
    '[5.22 GiB (2026-11-23 02:04:00 UTC)] was greater than the threshold (5.1 GiB)',
  ],
  ['[-1.2582912E7] was less than the threshold (0.0)', 'Bytes', '[-12 MiB] was less than the threshold (0 B)'],
  ['[86.7] > (85.0)', 'Percent', '[87 %] > (85 %)'],
  ['[96.0] > (5.0)', 'Milliseconds', '[96 ms] > (5 ms)'],
  ['[1.83] > (1.5)', undefined, '[1.83] > (1.5)'],
  ['[1.234567E7] > (3.0)', 'Count', '[12,345,670] > (3)'],
  ['[12.0] > (3.0)', 'Kilobytes', '[12 Kilobytes] > (3 Kilobytes)'],
  ['[1.0E999] > (0.0)', 'Bytes', '[1.0E999] > (0 B)'],
  ['Insufficient Data: 4 datapoints of 10.0.3.17:6379', 'Bytes', 'Insufficient Data: 4 datapoints of 10.0.3.17:6379'],
])('%s in %s', (reason, unit, shown) => {
  expect(reasonText(reason, unit)).toBe(shown);
});
