/** What a table holds under a key that comes from outside: a plain index would find `__proto__` and `constructor` in every object. */
export function lookup<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
