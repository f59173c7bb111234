import * as z from 'zod/mini';
import { covers, isReason, longest, type Pause, type Paused, type Pauses, pauseByTag } from '../domain/pause.ts';
import type { Log } from '../ports/log.ts';
import { type StateStore, StateUnavailable, unlessUnavailable } from '../ports/state-store.ts';
import { type DocumentKind, decode, encode } from './codec.ts';
import { PAUSE } from './keys.ts';

/** In place of an instance's id, which always begins with a letter. */
export const EVERY_INSTANCE = '*';

const UNREADABLE = '; to remove it: npx offpeak resume -c <config>';

const words = z.string().check(z.refine(isReason));

const instant = z.number().check(z.gte(0), z.lte(8.64e15));

const shape = z.looseObject({
  until: instant,
  reason: words,
  by: words,
  at: instant,
  nodes: z.exactOptional(z.array(z.string())),
});

export const PAUSE_KIND: DocumentKind<Pause> = { schema: 1, shape };

/** @throws {StateUnavailable} also for a pause that cannot be read: it is unknown for which nodes it holds. */
export async function readPauses(store: StateStore): Promise<Pauses> {
  const documents = await store.list(PAUSE);
  const stored = new Map(
    [...documents].map(([key, { value, version }]) => [
      key.slice(PAUSE.length),
      { pause: decode(PAUSE_KIND, key, value, UNREADABLE), version },
    ]),
  );
  return {
    stored,
    pauseOf: (instance, now) => {
      const { id, nodes } = instance;
      const isOfNode = ({ nodes: paused }: Pause) => nodes.some((node) => paused?.includes(node.id));
      const its = [...stored].filter(([scope, { pause }]) => covers(scope, id) || isOfNode(pause));
      const ordered = [stored.get(EVERY_INSTANCE)?.pause, ...its.map(([, { pause }]) => pause)];
      return longest([...ordered, pauseByTag(instance)], now);
    },
  };
}

/**
 * Pauses that are on, of instances that the config does not have, each with the instances that have its nodes now.
 *
 * @param unfound instances of which a discovery does not know the shards now: a pause of one of these is not stray
 */
export function strayPauses(
  { stored }: Pauses,
  { instances, unfound }: { readonly instances: readonly Paused[]; readonly unfound: readonly string[] },
  now: number,
): readonly { readonly scope: string; readonly pause: Pause; readonly covers: readonly string[] }[] {
  const isKnown = (scope: string) =>
    instances.some(({ id }) => covers(scope, id)) || unfound.some((id) => covers(id, scope));
  return [...stored].flatMap(([scope, { pause }]) => {
    if (scope === EVERY_INSTANCE || pause.until <= now || isKnown(scope)) return [];
    const holders = instances.filter(({ nodes }) => nodes.some(({ id }) => pause.nodes?.includes(id)));
    return [{ scope, pause, covers: holders.map(({ id }) => id) }];
  });
}

/** Undefined for what cannot be read as one. */
export function asPause(value: unknown): Pause | undefined {
  return shape.safeParse(value).data;
}

/** Expired pauses have no effect. This removes them, so that they do not accumulate. */
export async function dropExpired(store: StateStore, { stored }: Pauses, now: number, log: Log): Promise<void> {
  const expired = [...stored].filter(([, { pause }]) => pause.until <= now);
  const removals = Promise.all(expired.map(([scope, { version }]) => store.remove(PAUSE + scope, version)));
  await unlessUnavailable(removals, (error) => log.warn('expired pauses not removed', { error }));
}

/** A document of DynamoDB holds 400 KB. Of a discovery with more nodes only the name counts. */
const MOST_NODES = 2000;

/** The nodes that a pause of `scope` notes; undefined: none, because they are not known, or too many. */
export function nodesOfPause(scope: string, instances: readonly Paused[]): readonly string[] | undefined {
  const nodes = instances.filter(({ id }) => covers(scope, id)).flatMap((one) => one.nodes.map(({ id }) => id));
  return nodes.length > 0 && nodes.length <= MOST_NODES ? nodes : undefined;
}

/** Of pauses without: 0.1 did not note them, and they may not have been known. While the name is in the config, they are. */
export async function noteNodes(
  store: StateStore,
  { stored }: Pauses,
  instances: readonly Paused[],
  log: Log,
): Promise<void> {
  const noted = [...stored].map(async ([scope, { pause, version }]) => {
    const nodes = pause.nodes === undefined ? nodesOfPause(scope, instances) : undefined;
    if (nodes) await store.write(PAUSE + scope, encode(PAUSE_KIND, { ...pause, nodes }), version);
  });
  await unlessUnavailable(Promise.all(noted), (error) => log.warn('nodes of a pause not noted', { error }));
}

/** Puts a pause in the place of an earlier one. @throws {StateUnavailable} {TypeError} for a value that is not a pause. */
export async function putPause(store: StateStore, scope: string, pause: Pause): Promise<void> {
  const key = PAUSE + scope;
  if (!asPause(pause)) throw new TypeError(`this is not a pause: ${JSON.stringify(pause)}`);
  await settled(key, async () => {
    const stored = await store.read(key);
    return (await store.write(key, encode(PAUSE_KIND, pause), stored?.version)).stored;
  });
}

/** Ends a pause, also one that cannot be read. False: there was none. */
export async function endPause(store: StateStore, scope: string): Promise<boolean> {
  const key = PAUSE + scope;
  let found = true;
  await settled(key, async () => {
    const stored = await store.read(key);
    found = stored !== undefined;
    return stored === undefined || (await store.remove(key, stored.version));
  });
  return found;
}

/** Another person may change the same pause at the same moment. The terminal must not show a result that does not hold. */
async function settled(key: string, change: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 5; attempt++) if (await change()) return;
  throw new StateUnavailable(`the document ${key} is changed by others again and again; try it once more`);
}
