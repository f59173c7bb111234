/** The value below which a share (0..1) of the values lies; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** The middle value; of an even number, the mean of the middle two, so that of two runs neither decides alone. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}

/** An interval that holds them all; NaN of none. */
export function spread(values: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b);
  return { lowest: sorted[0] ?? Number.NaN, median: median(sorted), highest: sorted.at(-1) ?? Number.NaN };
}

/** `toFixed`, without the minus of what is rounded to nothing. */
export function fixed(value: number, digits: number): string {
  return value.toFixed(digits).replace(/^-(0(\.0+)?)$/, '$1');
}

/** `goal-met`; of runs that ended differently, `goal-met 2, stall-spent 1`. */
export function countedText(words: readonly string[], separator: string): string {
  const counts = [...Map.groupBy(words, (word) => word)];
  return counts.map(([word, all]) => (counts.length === 1 ? word : `${word} ${all.length}`)).join(separator);
}

/** Columns as wide as their widest cell: the first to the left, figures to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)));
  return rows.map((row) => line(row).join('  ').trimEnd()).join('\n');
}

/** The same in Markdown: the first columns to the left, as many as are words, figures to the right. */
export function markdownTable([head = [], ...lines]: readonly (readonly string[])[], words = 1): string {
  const rule = head.map((_, column) => (column < words ? '---' : '--:'));
  return [head, rule, ...lines].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
