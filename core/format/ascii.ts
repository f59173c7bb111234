/** Letters and signs that Unicode does not decompose into ASCII, and that occur in names and titles. */
const REPLACEMENTS: Readonly<Record<string, string>> = {
  '‘': "'",
  '’': "'",
  '‚': "'",
  '“': '"',
  '”': '"',
  '„': '"',
  '«': '"',
  '»': '"',
  '‐': '-',
  '‑': '-',
  '–': '-',
  '—': '-',
  '−': '-',
  '→': '->',
  '←': '<-',
  '×': 'x',
  '÷': '/',
  '·': '-',
  '•': '-',
  '≈': '~',
  '≤': '<=',
  '≥': '>=',
  '±': '+/-',
  '⁄': '/',
  '°': ' deg',
  µ: 'u',
  μ: 'u',
  '€': 'EUR',
  '£': 'GBP',
  ß: 'ss',
  æ: 'ae',
  Æ: 'AE',
  œ: 'oe',
  Œ: 'OE',
  ø: 'o',
  Ø: 'O',
  đ: 'd',
  Đ: 'D',
  ł: 'l',
  Ł: 'L',
  ð: 'd',
  þ: 'th',
  ı: 'i',
};

/**
 * The text in printable ASCII, on one line: without accents and emoji, with known signs spelled out. Anything else becomes `?`, so that a reader
 * sees that something is missing.
 */
export function toAscii(text: string): string {
  // Spelled out before and after: ø has no decomposition, and that of ½ has a fraction slash.
  const decomposed = spelledOut(spelledOut(text.toWellFormed()).normalize('NFKD'));
  return (
    decomposed
      // Marks and joiners first: an emoji with a skin tone or a family of them is several code points.
      .replace(/[\p{M}\p{Cf}\p{Emoji_Modifier}]/gu, '')
      .replace(/\p{Extended_Pictographic}|\p{Regional_Indicator}/gu, '')
      .replace(/[\s\p{Cc}]+/gu, ' ')
      .replace(/[^\x20-\x7e]/gu, '?')
      .trim()
  );
}

function spelledOut(text: string): string {
  return Array.from(text, (char) => REPLACEMENTS[char] ?? char).join('');
}
