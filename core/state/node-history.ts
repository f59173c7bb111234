import * as z from 'zod/mini';
import { type ActionResult, EMPTY_HISTORY, type NodeHistory } from '../domain/node-history.ts';
import { present } from '../domain/present.ts';
import { type StateStore, StateUnavailable, unlessUnavailable } from '../ports/state-store.ts';
import { type DocumentKind, decode, each, encode, oneOf } from './codec.ts';
import { historyKey } from './keys.ts';
import { noteRun } from './runs.ts';

const amount = z.number();

const maybe = z.exactOptional(amount);

const learned = z.looseObject({
  ...each(maybe, 'purgeMsPerGiB', 'keptPages', 'defragShare', 'defragWork', 'firstCycle', 'at'),
  version: z.exactOptional(z.string()),
});

const result = z.looseObject({
  ...each(amount, 'at', 'rssBefore', 'rssAfter', 'reclaimed', 'predicted', 'promisedStall'),
  stall: maybe,
  // What a newer version calls by a new word is shown as it is.
  kind: oneOf<ActionResult['kind']>(),
  lasted: maybe,
  ...each(z.exactOptional(z.string()), 'because', 'through'),
  partOf: z.exactOptional(oneOf<'defrag'>()),
});

const ofAction = z.looseObject({
  ineffective: amount,
  ...each(maybe, 'lastAt', 'knownAt', 'refusedAt', 'restUntil'),
  results: z.exactOptional(z.array(result)),
});

const trouble = z.looseObject({
  since: amount,
  reportedFor: z.exactOptional(z.string()),
  goneSince: maybe,
});

const shape = z.looseObject({
  runId: z.exactOptional(z.string()),
  defragSupport: z.exactOptional(z.enum(['supported', 'unsupported'])),
  purgeSupport: z.exactOptional(z.enum(['absent'])),
  notified: z.exactOptional(z.array(z.string())),
  learned,
  crashed: z.exactOptional(z.looseObject({ version: z.string(), at: amount })),
  troubles: z.exactOptional(z.record(z.string(), trouble)),
  byAction: z.record(z.string(), ofAction),
});

export const HISTORY_KIND: DocumentKind<NodeHistory> = { schema: 2, shape, upgrade };

/** Version 0.1 stored `notified` as `told`, and the fields of each action beside one another. */
function upgrade(stored: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { told, lastPurgeAt, purgeKnownAt, purgeRefusedAt, lastDefragAt, restUntil, ineffective, ...document } = stored;
  const { purge, defrag } = (ineffective ?? {}) as Readonly<Record<string, unknown>>;
  return {
    ...present({ notified: told }),
    byAction: {
      purge: {
        ...present({ lastAt: lastPurgeAt, knownAt: purgeKnownAt, refusedAt: purgeRefusedAt }),
        ineffective: purge,
      },
      defrag: { ...present({ lastAt: lastDefragAt, restUntil }), ineffective: defrag },
    },
    ...document,
  };
}

/**
 * Changes what is known of a node, from what is stored at that moment: two jobs that overlap must not undo each other's
 * cooldowns. Returns what is stored now.
 * @throws {StateUnavailable}
 */
export async function updateHistory(
  store: StateStore,
  node: string,
  change: (history: NodeHistory) => NodeHistory,
): Promise<NodeHistory> {
  const key = historyKey(node);
  for (let attempt = 0; attempt < 5; attempt++) {
    const stored = await store.read(key);
    const known = stored ? decode(HISTORY_KIND, key, stored.value) : EMPTY_HISTORY;
    const history = encode(HISTORY_KIND, change(known), known);
    if (history.runId !== undefined && history.runId !== known.runId) await noteRun(store, history.runId, node);
    if ((await store.write(key, history, stored?.version)).stored) return history;
  }
  throw new StateUnavailable(`the document ${key} is changed by others again and again`);
}

/** Stores the history of an address. Returns why it could not. */
export async function placeHistory(
  store: StateStore,
  node: string,
  history: NodeHistory,
  version: number | undefined,
): Promise<string | undefined> {
  const key = historyKey(node);
  const write = async () => {
    if (history.runId !== undefined) await noteRun(store, history.runId, node);
    return await store.write(key, encode(HISTORY_KIND, history), version);
  };
  const written = await unlessUnavailable(write(), (why) => why);
  if (typeof written === 'string') return written;
  return written.stored ? undefined : `another job has changed the document ${key} at the same moment`;
}
