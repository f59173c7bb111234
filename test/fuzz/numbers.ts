/** Every number in a value, wherever it is. */
export function numbersIn(something: unknown): readonly number[] {
  if (typeof something === 'number') return [something];
  return typeof something === 'object' && something !== null ? Object.values(something).flatMap(numbersIn) : [];
}

/** Every text in a value, wherever it is. */
export function textsIn(something: unknown): readonly string[] {
  if (typeof something === 'string') return [something];
  return typeof something === 'object' && something !== null ? Object.values(something).flatMap(textsIn) : [];
}

const SLIPS = ['NaN', 'Infinity', '∞', 'undefined', '[object Object]', 'null'];

/** What a slip of ours leaves in a text. What the input itself says is its own affair, and shown as it is. */
export function slipsIn(texts: readonly string[], input: string): readonly string[] {
  return SLIPS.filter((slip) => !input.includes(slip) && texts.some((text) => text.includes(slip)));
}
