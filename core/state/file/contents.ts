import { StateUnavailable, type Stored } from '../../ports/state-store.ts';

/** Everything that a state file holds. */
export interface Contents {
  /** The version that the next write gets. It counts for the whole file and never falls, so no version comes twice. */
  readonly next: number;
  readonly documents: ReadonlyMap<string, Stored>;
}

const FORMAT = 'offpeak/state@1';

/** The text of the file: indented, because people look into it when something went wrong. */
export function printContents({ next, documents }: Contents): string {
  const entries = [...documents].map(([key, { version, value }]) => [key, { version, value }]);
  return `${JSON.stringify({ format: FORMAT, next, documents: Object.fromEntries(entries) }, null, 2)}\n`;
}

/**
 * Strict, because what is not understood here would be lost with the next write.
 *
 * @throws StateUnavailable unless `bytes` are exactly such a file; `path` is for its message, which quotes no content.
 */
export function parseContents(bytes: Uint8Array, path: string): Contents {
  const refuse = (problem: string): never => {
    throw new StateUnavailable(
      `The state file ${path} ${problem}. Nothing was changed. Repair it or restore a copy; to start empty, first see that no server has active defragmentation left on (the file may hold what undoes it), then remove it.`,
    );
  };
  const file = parseJson(bytes, refuse);
  if (!isRecord(file)) return refuse('does not hold a JSON object');
  if (file.format !== FORMAT) return refuse(`has ${describeFormat(file.format)} (this Offpeak reads "${FORMAT}")`);
  refuseOtherKeys(file, ['format', 'next', 'documents'], 'the file', refuse);
  const { next, documents } = file;
  if (!isVersion(next)) return refuse('has no whole number of 1 or more under "next"');
  if (!isRecord(documents)) return refuse('has no object under "documents"');
  return {
    next,
    documents: new Map(Object.entries(documents).map(([key, entry]) => [key, parseStored(key, entry, next, refuse)])),
  };
}

type Refuse = (problem: string) => never;

function parseJson(bytes: Uint8Array, refuse: Refuse): unknown {
  if (bytes.length === 0) return refuse('is empty');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refuse('is not UTF-8 text');
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const place = error instanceof Error ? /line \d+ column \d+/.exec(error.message)?.[0] : undefined;
    return refuse(`is not valid JSON${place === undefined ? '' : ` (${place})`}`);
  }
}

function parseStored(key: string, entry: unknown, next: number, refuse: Refuse): Stored {
  const place = `document ${JSON.stringify(key)}`;
  if (!isRecord(entry) || !Object.hasOwn(entry, 'value')) return refuse(`has no "value" in ${place}`);
  refuseOtherKeys(entry, ['version', 'value'], place, refuse);
  // A version that is still to be given would one day belong to two documents.
  if (!isVersion(entry.version) || entry.version >= next)
    return refuse(`has no version from 1 to below "next" (${next}) in ${place}`);
  return { value: entry.value, version: entry.version };
}

function refuseOtherKeys(record: object, known: readonly string[], place: string, refuse: Refuse): void {
  const other = Object.keys(record).find((key) => !known.includes(key));
  if (other !== undefined)
    refuse(`has the unknown key ${JSON.stringify(other)} in ${place} (known: ${known.join(', ')})`);
}

function describeFormat(format: unknown): string {
  return typeof format === 'string' ? `the format "${format.slice(0, 40)}"` : 'no "format"';
}

function isVersion(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 1;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
