import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MESSAGE_BYTES, snsMessage } from '../../../../functions/shared/aws/sns-message.ts';
import { ALERT_SCHEMA, type Alert } from '../../../../functions/shared/contracts/alert.ts';
import { alertText } from '../../../../functions/shared/contracts/alert-text.ts';
import { chatbotNotification } from '../../../../functions/shared/contracts/chatbot.ts';
import { anAlert } from '../../../support/telemetry-builders.ts';

const manyFacts = (count: number, value: string) =>
  Array.from({ length: count }, (_, n) => ({ label: `Node ${n}`, value }));
const variantsOf = (body: string): Record<string, string> => JSON.parse(body);
const alertOf = (body: string): Alert => JSON.parse(variantsOf(body).lambda ?? '');

describe('one text per protocol', () => {
  test('people get prose, programs the alert itself', () => {
    const alert = anAlert();
    const { body, shortened } = snsMessage(alert);
    expect(shortened).toBe(false);
    const { default: standard, email, ...programs } = variantsOf(body);
    expect(standard).toBe(alertText(alert));
    expect(email).toBe(alertText(alert));
    expect(Object.keys(programs).sort()).toEqual(['http', 'https', 'lambda', 'sqs']);
    for (const text of Object.values(programs)) expect(JSON.parse(text)).toEqual(alert);
  });

  test('for Amazon Q, https subscribers get its schema, and only they', () => {
    const alert = anAlert();
    const { https, ...others } = variantsOf(snsMessage(alert, { https: 'amazon-q' }).body);
    expect(JSON.parse(https ?? '')).toEqual(chatbotNotification(alert));
    const { https: _, ...usual } = variantsOf(snsMessage(alert).body);
    expect(others).toEqual(usual);
  });

  test('what SQS refuses in a text is taken out of the JSON as well', () => {
    const alert = alertOf(snsMessage(anAlert({ why: 'a\u0000b\uffff\ud83cc' })).body);
    expect(alert.why).toBe('ab\ufffdc');
  });
});

describe('a message that is too large is shortened, not lost', () => {
  test('a long text is cut and says so; all else stays', () => {
    const alert = anAlert({ why: 'because '.repeat(100_000) });
    const { body, shortened } = snsMessage(alert);
    expect(shortened).toBe(true);
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(MESSAGE_BYTES);
    const kept = alertOf(body);
    expect(kept.why).toMatch(/^because .* … shortened$/);
    expect({ ...kept, why: '' }).toEqual({ ...alert, why: '' });
    expect(variantsOf(body).email?.replaceAll('\n', ' ')).toContain('… shortened');
  });

  test.each(['🎉', 'x🎉'])('a cut never leaves half a character: %s…', (start) => {
    const { why } = alertOf(snsMessage(anAlert({ why: `${start}${'🎉'.repeat(100_000)}` })).body);
    expect(why).toMatch(/🎉 … shortened$/);
    expect(why.isWellFormed()).toBe(true);
  });

  test('of too many facts, the first stay, and the last says how many do not', () => {
    const alert = anAlert({ facts: manyFacts(5_000, '402 MB returned') });
    const { body } = snsMessage(alert);
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(MESSAGE_BYTES);
    const { facts } = alertOf(body);
    const left = 5_000 - (facts.length - 1);
    expect(facts.slice(0, -1)).toEqual(alert.facts.slice(0, facts.length - 1));
    expect(facts.at(-1)).toEqual({ label: 'More', value: `… shortened: ${left} of 5000 facts left out` });
    // One more fact would not have fitted: nothing is dropped without need.
    expect(Buffer.byteLength(body)).toBeGreaterThan(MESSAGE_BYTES - 500);
  });

  test('long facts are cut before any is dropped', () => {
    const { facts } = alertOf(snsMessage(anAlert({ facts: manyFacts(50, 'x'.repeat(20_000)) })).body);
    expect(facts).toHaveLength(50);
    expect(facts.every((fact) => fact.value.endsWith('… shortened'))).toBe(true);
  });

  test('any alert gives a legal message within the limit', () => {
    const limit = 131_072;
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 50 }),
      fc.constantFrom('"', '\\', '\u0000', '🎉', '漢', '\ud83c', '\n').map((char) => char.repeat(30_001)),
    );
    const facts = fc.array(fc.record({ label: text, value: text }), { maxLength: 60 });
    fc.assert(
      fc.property(
        fc.record({ id: text, stage: text, instance: text, node: text, title: text, why: text, next: text }),
        facts,
        fc.constantFrom('alert' as const, 'amazon-q' as const),
        (over, list, https) => {
          const { body } = snsMessage(anAlert({ ...over, facts: list }), { maxBytes: limit, https });
          expect(Buffer.byteLength(body)).toBeLessThanOrEqual(limit);
          for (const variant of Object.values(variantsOf(body))) expect(variant.isWellFormed()).toBe(true);
          expect(alertOf(body)).toMatchObject({ schema: ALERT_SCHEMA, event: 'purged', severity: 'info' });
        },
      ),
      { numRuns: 40 },
    );
  });
});
