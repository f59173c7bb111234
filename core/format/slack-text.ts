import { cleanText } from './wrap.ts';

/** The three characters of Slack's markup; its documentation requires these entities and no others. */
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/**
 * Any text as Slack's mrkdwn, at most `maxChars` characters after escaping: with `&`, `<` and `>` as entities
 * neither a mention (`<!channel>`) nor a link (`<https://...|bank>`) can come out of it. A cut never falls into an entity
 * or a character, and shows as an ellipsis.
 */
export function escapedText(text: string, maxChars: number): string {
  return cut(cleanText(text), maxChars, (char) => ENTITIES[char] ?? char);
}

/** Text for where Slack reads no markup, at most `maxChars` characters, cut between characters. */
export function shortenedText(text: string, maxChars: number): string {
  return cut(cleanText(text), maxChars, (char) => char);
}

function cut(text: string, maxChars: number, shown: (char: string) => string): string {
  let length = 0;
  const kept: string[] = [];
  for (const char of text) {
    const piece = shown(char);
    kept.push(piece);
    length += piece.length;
    if (length > maxChars) return endedBy(kept, length, maxChars);
  }
  return kept.join('');
}

/** The pieces without as many from the end as make room for the ellipsis. */
function endedBy(pieces: string[], length: number, maxChars: number): string {
  let left = length;
  while (left > maxChars - 1 && pieces.length > 0) left -= pieces.pop()?.length ?? 0;
  return `${pieces.join('').trimEnd()}…`;
}
