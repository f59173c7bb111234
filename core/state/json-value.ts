/** Offpeak's documents are less deep, and a DynamoDB item may have 32 levels. A cycle ends here as well. */
const MAX_DEPTH = 31;

/**
 * The JSON text of `value`, which reads back as an equal value.
 *
 * @throws TypeError for what JSON would lose or change silently (undefined, functions, NaN, dates, maps, bigints, cycles, more than 31
 *   levels), naming the key and the place within the value.
 */
export function jsonText(key: string, value: unknown): string {
  const flaw = findFlaw(value, 'the value', 0);
  if (flaw !== undefined) {
    throw new TypeError(
      `State document ${JSON.stringify(key)}: ${flaw}. Accepted: null, booleans, finite numbers, strings, arrays and plain objects, without cycles, at most ${MAX_DEPTH} levels deep.`,
    );
  }
  return JSON.stringify(value);
}

/** The first value that JSON cannot hold, and where it is. */
function findFlaw(value: unknown, place: string, depth: number): string | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined;
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : `${place} is ${value}`;
  if (typeof value !== 'object' || !isPlain(value)) return `${place} is ${describe(value)}`;
  if (depth === MAX_DEPTH) return `${place} is too deep, or part of a cycle`;
  for (const [name, inner] of entriesOf(value)) {
    const flaw = findFlaw(inner, `${place}[${JSON.stringify(name)}]`, depth + 1);
    if (flaw !== undefined) return flaw;
  }
  return undefined;
}

function entriesOf(value: object): readonly (readonly [string | number, unknown])[] {
  // Array.from reads the missing items of a sparse array as undefined, which JSON would turn into null.
  return Array.isArray(value) ? Array.from(value, (item, index) => [index, item]) : Object.entries(value);
}

function isPlain(value: object): boolean {
  // An object with a toJSON of its own would be stored as something else.
  if ('toJSON' in value && typeof value.toJSON === 'function') return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null;
}

function describe(value: unknown): string {
  if (value === undefined) return 'undefined';
  if (typeof value !== 'object' || value === null) return `a ${typeof value}`;
  return `a ${value.constructor?.name ?? 'foreign object'}`;
}
