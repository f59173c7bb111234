import { distance } from 'fastest-levenshtein';

/** The known word that was probably meant, or undefined when none is similar enough. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  // Longer than any word it could be: the distance is quadratic, and a 100 KB key would take minutes.
  if (word.length > 64) return undefined;
  const wanted = plain(word);
  // Two letters that changed places count as two; in a short word two changes make any other short word.
  const limit = wanted.length < 4 ? 1 : Math.max(2, Math.floor(wanted.length / 3));
  let best: { word: string; distance: number } | undefined;
  for (const candidate of known) {
    const away = distance(wanted, plain(candidate));
    if (away <= limit && away < (best?.distance ?? Number.POSITIVE_INFINITY))
      best = { word: candidate, distance: away };
  }
  return best?.word;
}

/** `memory-limit`, `memory_limit` and `MemoryLimit` are no misspellings worth counting. */
function plain(word: string): string {
  return word.toLowerCase().replaceAll(/[-_ ]/g, '');
}
