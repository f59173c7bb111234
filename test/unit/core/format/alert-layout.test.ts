import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { alertSubject, alertText } from '../../../../core/format/alert-layout.ts';
import { anAlert } from '../../../support/telemetry-builders.ts';

describe('the subject', () => {
  test.each([
    ['as it is', {}, '[offpeak prod] sessions: 402 MB returned (info)'],
    [
      'the instance is added to a title that lacks it',
      { title: 'Defrag started' },
      '[offpeak prod] sessions: Defrag started (info)',
    ],
    [
      'named elsewhere in the title is enough',
      { title: 'Defrag started on sessions, 25 % CPU' },
      '[offpeak prod] Defrag started on sessions, 25 % CPU (info)',
    ],
    [
      'a part of a word does not name it',
      { instance: 'a', title: 'Purge of a1' },
      '[offpeak prod] a: Purge of a1 (info)',
    ],
    ['accents go', { instance: 'señal', title: 'x…' }, '[offpeak prod] senal: x... (info)'],
    ['emoji disappear', { title: 'sessions: 🎉👩‍👩‍👧🇩🇪👍🏽 done' }, '[offpeak prod] sessions: done (info)'],
    ['other scripts leave a mark', { title: 'sessions: 完了' }, '[offpeak prod] sessions: ?? (info)'],
    [
      'line breaks are spaces',
      { title: 'sessions:\r\nBcc: x@example.com' },
      '[offpeak prod] sessions: Bcc: x@example.com (info)',
    ],
    ['no stage', { stage: '' }, '[offpeak] sessions: 402 MB returned (info)'],
    ['no title', { instance: '', title: '' }, '[offpeak prod] (info)'],
  ])('%s', (_, over, subject) => {
    expect(alertSubject(anAlert(over))).toBe(subject);
  });

  test('a long title gives way, stage and severity stay', () => {
    const subject = alertSubject(anAlert({ severity: 'critical', title: `sessions: ${'word '.repeat(40)}` }));
    expect(subject).toMatch(/^\[offpeak prod\] sessions: word .*\.\.\. \(critical\)$/);
    expect(subject.length).toBeLessThan(100);
  });

  test('is what SNS accepts, whatever the names and titles hold', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.constantFrom('', '\n', '🎉', '\ud83c', '𝕏'.repeat(99)),
    );
    fc.assert(
      fc.property(text, text, text, (stage, instance, title) => {
        const subject = alertSubject(anAlert({ stage, instance, title }));
        expect(subject).toMatch(/^[\x21-\x7e][\x20-\x7e]{0,98}$/);
        expect(subject).toMatch(/^\[offpeak.*\(info\)$/);
      }),
    );
  });
});

describe('the text', () => {
  test('says what, why, how much, what next, and where and when', () => {
    expect(alertText(anAlert())).toBe(
      [
        'sessions: 402 MB returned',
        '',
        'Why: The allocator kept 431 MB of free pages, and a second look 20 s',
        'later still found them: they would not have gone by themselves.',
        '',
        '  RSS before      1.28 GB',
        '  RSS after       878 MB',
        '  Predicted       410 MB',
        '  Clients waited  96 ms, 250 ms were allowed',
        '',
        'Next: Nothing to do. The next window opens on Tuesday at 02:00',
        'Europe/Berlin.',
        '',
        'prod | sessions | 10.0.3.17:6379 | 2026-11-23 02:14:05 UTC | purged |',
        'id=a7c2f0d4-purged',
        '',
      ].join('\n'),
    );
  });

  test('what is not there leaves no empty heading', () => {
    const text = alertText(anAlert({ why: '', facts: [], next: ' ' }));
    expect(text.split('\n\n')).toHaveLength(2);
    expect(text).not.toMatch(/Why|Next/);
  });

  test('a long value is wrapped under its column, and a long label stands alone', () => {
    const text = alertText(
      anAlert({
        facts: [
          { label: 'Settings', value: `${'active-defrag-cycle-max 25 '.repeat(4)}end` },
          { label: 'A label of more than twenty-four characters', value: 'value' },
        ],
      }),
    );
    expect(text).toContain(
      [
        '  Settings  active-defrag-cycle-max 25 active-defrag-cycle-max 25',
        '            active-defrag-cycle-max 25 active-defrag-cycle-max 25 end',
        '  A label of more than twenty-four characters',
        '            value',
      ].join('\n'),
    );
  });

  test('control characters and marks that turn the writing direction do not reach the mail', () => {
    const text = alertText(anAlert({ title: 'sessions\u0007\u202egnp.exe', why: 'a\tb\r\nc\u0000' }));
    expect(text).toContain('sessionsgnp.exe');
    expect(text).toContain('Why: a b\nc\n');
  });

  test('no line is wider than 72 columns where the words are not', () => {
    const word = fc.string({ unit: 'binary', maxLength: 7 });
    const words = fc.array(word, { maxLength: 40 }).map((list) => list.join(' '));
    const facts = fc.array(fc.record({ label: fc.string({ maxLength: 30 }), value: words }), { maxLength: 5 });
    fc.assert(
      fc.property(words, words, words, facts, (title, why, next, list) => {
        const text = alertText(anAlert({ title, why, next, facts: list }));
        expect(text.isWellFormed()).toBe(true);
        for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(72);
      }),
    );
  });

  test('a word that is longer is not broken: an ARN must stay clickable and searchable', () => {
    const arn = `arn:aws:elasticache:eu-west-1:123456789012:cluster:${'x'.repeat(60)}`;
    expect(alertText(anAlert({ next: `Look at ${arn} today.` }))).toContain(`Next: Look at\n${arn}\ntoday.`);
  });
});

test('with an address of the runbook, the mail leads to the heading of its event', () => {
  const address = `https://${'long-name.'.repeat(12)}example/runbook.md`;
  expect(alertText(anAlert({ event: 'defrag-aborted' }), address)).toContain(`\nRunbook: ${address}#defrag-aborted\n`);
  expect(alertText(anAlert())).not.toContain('Runbook');
});
