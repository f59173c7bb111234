import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PICTURES, pageText } from '../../../scripts/pictures.ts';
import { type Message, pageOf } from '../../../scripts/slack-page.ts';

const DOCS = join(import.meta.dirname, '../../../docs');
const MESSAGES: Readonly<Record<string, Readonly<Record<string, Message>>>> = JSON.parse(
  readFileSync(join(DOCS, 'slack-messages.json'), 'utf8'),
);

test('docs/messages.md and its pictures are of the messages as they are (`npm run pictures` draws them)', () => {
  expect(readFileSync(join(DOCS, 'messages.md'), 'utf8')).toBe(pageText(MESSAGES));
});

test.each(PICTURES)('%s.png is a picture', (file) => {
  const picture = readFileSync(join(DOCS, 'pictures', `${file}.png`));
  expect(picture.subarray(1, 4).toString()).toBe('PNG');
  // IHDR: the width, and the height, by which a cut-off message would show.
  expect(picture.readUInt32BE(16)).toBe(720);
  expect(picture.readUInt32BE(20)).toBeGreaterThan(300);
});

const all = Object.entries(MESSAGES).flatMap(([group, messages]) =>
  Object.entries(messages).map(([name, message]) => [`${group}: ${name}`, message] as const),
);

test.each(all)('%s can be drawn, and loads nothing', (_, message) => {
  const page = pageOf(message);
  const [header] = message.blocks ?? [];
  const title = header?.type === 'header' ? header.text.text : '';
  expect(page).toContain(title.replace(/^[🟢🟠🔴⚪] /u, '').replaceAll('&', '&amp;'));
  expect(page).not.toMatch(/<(?:img|script|link|iframe)|src=|url\(/);
});

test('text stays text', () => {
  const text = { type: 'plain_text', text: '<script>x</script> & *y*' } as const;
  expect(pageOf({ text: '', blocks: [{ type: 'section', text }] })).toContain(
    '<p>&lt;script&gt;x&lt;/script&gt; &amp; *y*</p>',
  );
});
