import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { escapedText, shortenedText } from '../../../../core/format/slack-text.ts';
import { runs } from '../../../fuzz/runs.ts';

describe('text of others for Slack', () => {
  test.each([
    ['<!channel> & co', 100, '&lt;!channel&gt; &amp; co'],
    ['&lt;!channel&gt;', 100, '&amp;lt;!channel&amp;gt;'],
    ['a\u0000b\u202ec', 100, 'abc'],
    ['abc', 3, 'abc'],
    ['abcd', 3, 'ab…'],
    ['a<b', 6, 'a&lt;b'],
    // A cut inside &lt; would leave an ampersand that means something.
    ['a<bc', 6, 'a&lt;…'],
    ['a<bc', 5, 'a…'],
    ['<<<', 1, '…'],
    ['🎉🎉', 3, '🎉…'],
    ['ab  cd', 5, 'ab…'],
  ])('%j in %d characters: %j', (text, maxChars, shown) => {
    expect(escapedText(text, maxChars)).toBe(shown);
  });

  test('without markup nothing is escaped', () => {
    expect(shortenedText('<!channel> & co', 100)).toBe('<!channel> & co');
    expect(shortenedText('<!channel> & co', 5)).toBe('<!ch…');
  });

  test('no text is too long, half a character, or markup', () => {
    const text = fc.string({ unit: 'binary', maxLength: 60 });
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 80 }), (raw, maxChars) => {
        const shown = escapedText(raw, maxChars);
        expect(shown.length).toBeLessThanOrEqual(maxChars);
        expect(shown.isWellFormed()).toBe(true);
        expect(shown.replaceAll(/&(amp|lt|gt);/g, '')).not.toMatch(/[<>&]/);
      }),
      { numRuns: runs(0.2) },
    );
  });
});
