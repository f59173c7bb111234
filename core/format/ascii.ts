/**
 * The text in printable ASCII, on one line: without accents and emoji. Anything else becomes `?`, so that a reader sees that something is
 * missing.
 */
export function toAscii(text: string): string {
  return (
    text
      .toWellFormed()
      .normalize('NFKD')
      // Marks and joiners first: an emoji with a skin tone or a family of them is several code points.
      .replace(/[\p{M}\p{Cf}\p{Emoji_Modifier}]/gu, '')
      .replace(/\p{Extended_Pictographic}|\p{Regional_Indicator}/gu, '')
      .replace(/[\s\p{Cc}]+/gu, ' ')
      .replace(/[^\x20-\x7e]/gu, '?')
      .trim()
  );
}
