/**
 * SQS accepts no control characters and noncharacters, and marks that change the direction of writing can make a name look like another
 * one. Line breaks stay.
 */
const UNPRINTABLE = /(?!\n)\p{Cc}|[\u202a-\u202e\u2066-\u2069\u200e\u200f\ufffe\uffff]/gu;

/** The text without what a mail cannot or must not show; trimmed, with tabs and carriage returns as spaces. */
export function cleanText(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    .replaceAll('\t', ' ')
    .replace(UNPRINTABLE, '')
    .trim();
}

/** The text as lines of at most `columns` characters, broken at spaces; a longer word has a line of its own. */
export function wrapText(text: string, columns: number): string[] {
  const clean = cleanText(text);
  if (clean === '') return [];
  return clean.split('\n').flatMap((line) => wrapLine(line, columns));
}

function wrapLine(line: string, columns: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(/ +/)) {
    const joined = current === '' ? word : `${current} ${word}`;
    if (current !== '' && joined.length > columns) {
      lines.push(current);
      current = word;
    } else {
      current = joined;
    }
  }
  return [...lines, current];
}
