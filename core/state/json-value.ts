/**
 * The JSON text of `value`, which reads back as an equal value.
 *
 * @throws TypeError for what JSON would lose or change silently (undefined, functions, NaN, dates, maps), and for what it cannot hold
 *   (bigints, cycles), naming the key and the place within the value.
 */
export function jsonText(key: string, value: unknown): string {
  try {
    return JSON.stringify(value, refuseLossy);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new TypeError(`State document ${JSON.stringify(key)}: ${error.message.split('\n', 1)[0]}`);
  }
}

/** For each value within: `converted` is what a `toJSON` of its own, as that of a date, has made of it. */
function refuseLossy(this: unknown, name: string, converted: unknown): unknown {
  const value: unknown = Object(this)[name];
  const isText = value === null || typeof value === 'string' || typeof value === 'boolean';
  if (value === converted && (isText || Number.isFinite(value) || isPlain(value))) return value;
  const accepted = 'null, booleans, finite numbers, strings, arrays and plain objects, without cycles';
  throw new TypeError(`JSON has no place for ${JSON.stringify(name)}, a ${typeof value}. Accepted: ${accepted}.`);
}

function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null;
}
