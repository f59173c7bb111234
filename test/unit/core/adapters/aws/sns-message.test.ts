import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MESSAGE_BYTES, snsMessage } from '../../../../../core/adapters/aws/sns-message.ts';
import { digestOf } from '../../../../../core/alerts/digest.ts';
import { ALERT_SCHEMA, type Alert } from '../../../../../core/domain/alert.ts';
import { alertSubject, alertText } from '../../../../../core/format/alert-layout.ts';
import { chatbotNotification } from '../../../../../core/format/chatbot.ts';
import { runs } from '../../../../fuzz/runs.ts';
import { stormOfKind } from '../../../../support/storm.ts';
import { anAlert } from '../../../../support/telemetry-builders.ts';

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
      { numRuns: runs(0.04) },
    );
  });
});

describe('F11: the message of a digest', () => {
  const digestOfMany = (count: number, over: (alert: Alert) => Alert = (alert) => alert): Alert => {
    const [first, ...more] = stormOfKind(count, 'unsupported').map(over);
    if (!first) throw new Error('alerts expected');
    return digestOf([first, ...more], 'prod/digest/1');
  };
  /** As SNS chooses: the protocol's own text, or the default. */
  const received = (body: string, protocol: string) => variantsOf(body)[protocol] ?? variantsOf(body).default ?? '';
  const everyProgramGets = (body: string): Alert => {
    const [one, ...others] = ['lambda', 'sqs', 'http', 'https'].map((protocol) => received(body, protocol));
    expect(new Set(others)).toEqual(new Set([one]));
    return JSON.parse(one ?? '');
  };

  test('of 40 nodes has a text for each protocol, as any other', () => {
    const digest = digestOfMany(40);
    const { default: standard, email, lambda } = variantsOf(snsMessage(digest).body);
    expect([standard, email]).toEqual([alertText(digest), alertText(digest)]);
    expect(JSON.parse(lambda ?? '')).toEqual(digest);
  });

  test('of 1,000 nodes fits, and names each of them to people and to programs', () => {
    const digest = digestOfMany(1_000);
    const { body } = snsMessage(digest);
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(MESSAGE_BYTES);
    const { members = [], ...rest } = everyProgramGets(body);
    expect(members.map(({ id }) => id)).toEqual(digest.members?.map(({ id }) => id));
    expect(rest).toEqual({ ...digest, members: undefined });
    const mail = received(body, 'email').replace(/\n +/g, ' ');
    for (const { instance, node } of digest.members ?? []) {
      expect(mail).toContain(instance);
      expect(mail).toContain(node);
    }
    // A text message has no room for them.
    expect(received(body, 'sms')).toBe(alertSubject(digest));
  });

  test('of 1,000 nodes with names that are too long lists as many as fit, and counts the rest by instance', () => {
    const long = 'x'.repeat(200);
    const digest = digestOfMany(1_000, (alert) => ({
      ...alert,
      node: `${long}.${alert.node}`,
      id: `${alert.id}/${long}`,
    }));
    const { body, shortened } = snsMessage(digest);
    expect(shortened).toBe(true);
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(MESSAGE_BYTES);
    expect(Buffer.byteLength(body)).toBeGreaterThan(MESSAGE_BYTES - 2_000);
    const { title, members = [], facts } = everyProgramGets(body);
    expect(title).toBe(digest.title);
    expect(facts.at(-1)).toEqual({
      label: 'Not listed',
      value: expect.stringMatching(
        new RegExp(`^${1_000 - members.length} of 1000: app-\\d+ 3, .*more instances \\d+$`),
      ),
    });
    expect(received(body, 'email').replace(/\s+/g, ' ')).toContain(`Not listed ${1_000 - members.length} of 1000`);
  });

  test('Amazon Q gets as many as it shows, with a count of the others', () => {
    const { description } = JSON.parse(
      received(snsMessage(digestOfMany(300), { https: 'amazon-q' }).body, 'https'),
    ).content;
    expect(description.length).toBeLessThanOrEqual(2_500);
    expect(description).toMatch(
      /• app-000 app-000-1\.redis\.example:6379: redis 7\.0\.15, primary\n[\s\S]*And \d+ more: app-/,
    );
  });
});
