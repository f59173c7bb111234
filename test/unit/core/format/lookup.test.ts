import { describe, expect, test } from 'vitest';
import { traitsOf } from '../../../../core/actions/defrag/stop-reasons.ts';
import { digestOf } from '../../../../core/alerts/digest.ts';
import type { BlockerKind } from '../../../../core/domain/blocker.ts';
import { blockerKindText } from '../../../../core/format/blocker.ts';
import { lookup } from '../../../../core/format/lookup.ts';
import { settingsRead } from '../../../../core/format/setting-forms.ts';
import { anAlert } from '../../../support/telemetry-builders.ts';

/** Keys that every object has, though nobody has put them there: from stored documents, servers and CloudWatch. */
describe.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('the key %s from outside', (key) => {
  test('is found in no table', () => expect(lookup({ known: 1 }, key)).toBeUndefined());

  test('is a stored stop reason like any other that this version does not know', () => {
    expect(traitsOf(key as BlockerKind)).toMatchObject({ kind: 'trouble', says: JSON.stringify(key) });
    expect(blockerKindText(key as BlockerKind)).toBe(JSON.stringify(key));
  });

  test('is the event of a stored alert like any other', () => {
    const alert = { ...anAlert(), event: key as 'purged' };
    expect(digestOf([alert, alert], 'prod/digest/1').title).not.toMatch(/\[object|function|native/);
  });

  test('is a setting of no known form', () => {
    const printed = Object.fromEntries([
      [key, 'yes'],
      ['activedefrag', 'yes'],
    ]);
    expect(settingsRead(printed).settings).toEqual({ activedefrag: 'yes' });
  });
});
