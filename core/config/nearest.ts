import { distance } from 'fastest-levenshtein';

/** The known word that was probably meant, or undefined when none is similar enough. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  // Longer than any word it could be: the distance is quadratic, and a 100 KB key would take minutes.
  if (word.length > 64) return undefined;
  const wanted = plain(word);
  // In a short word two changes make any other short word.
  const limit = Math.max(1, Math.floor(wanted.length / 4));
  let best: { word: string; distance: number } | undefined;
  for (const candidate of known) {
    const away = changes(wanted, plain(candidate));
    if (away <= limit && away < (best?.distance ?? Number.POSITIVE_INFINITY))
      best = { word: candidate, distance: away };
  }
  return best?.word;
}

/** Letters that differ; two that changed places count as one. */
function changes(a: string, b: string): number {
  const away = distance(a, b);
  return away === 2 && sorted(a) === sorted(b) ? 1 : away;
}

function sorted(word: string): string {
  return [...word].sort().join('');
}

/** `memory-limit`, `memory_limit` and `MemoryLimit` are not counted as misspellings. */
function plain(word: string): string {
  return word.toLowerCase().replaceAll(/[-_ ]/g, '');
}
