import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CHATBOT_CHARS, chatbotNotification } from '../../../../core/format/chatbot.ts';
import { runs } from '../../../fuzz/runs.ts';
import { anAlert } from '../../../support/telemetry-builders.ts';

/** Every text in it, with the place of each. */
function textsOf(value: unknown, place = ''): readonly (readonly [place: string, text: string])[] {
  if (typeof value === 'string') return [[place, value]];
  return Object.entries(value ?? {}).flatMap(([key, one]) => textsOf(one, `${place}.${key}`));
}

describe("an alert in Amazon Q Developer's schema", () => {
  test('has what its guide names, and the same facts as the e-mail', () => {
    const alert = anAlert();
    expect(chatbotNotification(alert)).toEqual({
      version: '1.0',
      source: 'custom',
      id: 'a7c2f0d4-purged',
      content: {
        textType: 'client-markdown',
        title: ':information_source: sessions: 402 MB returned',
        description: `${alert.why}\n• *RSS before*: 1.28 GB\n• *RSS after*: 878 MB\n• *Predicted*: 410 MB\n• *Clients waited*: 96 ms, 250 ms were allowed`,
        nextSteps: [alert.next],
        keywords: ['purged', 'info', 'prod', 'sessions'],
      },
      metadata: {
        threadId: 'offpeak/prod/sessions',
        summary: 'Offpeak prod: sessions',
        eventType: 'purged',
        relatedResources: ['10.0.3.17:6379'],
        additionalContext: { severity: 'info', node: '10.0.3.17:6379', at: '2026-11-23T02:14:05.120Z' },
      },
    } satisfies ReturnType<typeof chatbotNotification>);
  });

  test('one thread for each instance of a stage', () => {
    const threadOf = (over: object) => chatbotNotification(anAlert(over)).metadata.threadId;
    expect(threadOf({ node: 'other:6379', event: 'defrag-started', id: 'other' })).toBe(threadOf({}));
    expect(threadOf({ instance: 'carts' })).not.toBe(threadOf({}));
    expect(threadOf({ stage: 'dev' })).not.toBe(threadOf({}));
  });

  test('facts that do not fit are left out whole', () => {
    const facts = Array.from({ length: 100 }, (_, n) => ({ label: `Fact ${n}`, value: 'x'.repeat(100) }));
    const { description } = chatbotNotification(anAlert({ facts })).content;
    expect(description.length).toBeLessThanOrEqual(CHATBOT_CHARS.description);
    expect(description).toMatch(/\n• \*Fact \d+\*: x{100}$/);
  });

  test('whatever the texts are, none is empty, too long, or markup', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 50 }),
      fc.constantFrom('<!channel>', '&', '<https://a.example|b>', '🎉').map((part) => part.repeat(900)),
    );
    fc.assert(
      fc.property(
        fc.record({ id: text, at: text, stage: text, instance: text, node: text, title: text, why: text, next: text }),
        fc.array(fc.record({ label: text, value: text }), { maxLength: 5 }),
        (over, facts) => {
          for (const [place, shown] of textsOf(chatbotNotification(anAlert({ ...over, facts })))) {
            expect(shown, place).not.toBe('');
            expect(shown.length, place).toBeLessThanOrEqual(CHATBOT_CHARS.description);
            expect(shown.replaceAll(/&(amp|lt|gt);/g, ''), place).not.toMatch(/[<>&]/);
          }
        },
      ),
      { numRuns: runs(0.1) },
    );
  });
});
