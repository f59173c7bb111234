import * as z from 'zod/mini';
import type { Engine } from '../domain/engine.ts';
import type { ActingNode, Outage } from '../domain/stage.ts';
import { type StateStore, StateUnavailable } from '../ports/state-store.ts';
import { type DocumentKind, decode, each, oneOf } from '../state/codec.ts';
import { STAGE_DOCUMENT } from '../state/keys.ts';

const shape = z.looseObject({
  claims: z.array(
    z.looseObject({
      ...each(z.string(), 'node', 'holder'),
      address: z.exactOptional(z.string()),
      group: z.exactOptional(z.string()),
      isDefrag: z.boolean(),
      until: z.number(),
    }),
  ),
  falls: z.array(
    z.looseObject({
      ...each(z.string(), 'node', 'runId'),
      engine: z.looseObject({ name: oneOf<Engine['name']>(), version: z.string() }),
      how: z.enum(['restarted', 'vanished', 'unchecked']),
      ...each(z.number(), 'at', 'until'),
    }),
  ),
});

/** Of an invocation, as leases are: two of them may claim one node, and the lease decides between them. */
export interface Claim extends Held {
  readonly until: number;
}

export interface Held extends ActingNode {
  readonly holder: string;
}

export interface StageDocument {
  readonly claims: readonly Claim[];
  readonly falls: readonly Outage[];
  /** Of the stored document; absent where there is none. */
  readonly version?: number;
}

export const STAGE_KIND: DocumentKind<Omit<StageDocument, 'version'>> = { schema: 1, shape };

const NOTHING: StageDocument = { claims: [], falls: [] };

const REMEDY = '; remove it: leases and what this night brings fill it anew';

/** @throws {StateUnavailable} for what is none: never a guess. */
export async function readStageDocument(store: StateStore): Promise<StageDocument> {
  const stored = await store.read(STAGE_DOCUMENT);
  if (!stored) return NOTHING;
  return { ...decode(STAGE_KIND, STAGE_DOCUMENT, stored.value, REMEDY), version: stored.version };
}

/** Of the invocation that has made it. */
export function nameOf({ node, holder, until }: Claim): string {
  return `${node} ${holder} ${until}`;
}

/** Of the same servers, in whatever order. */
export function isSame(a: readonly Outage[], b: readonly Outage[]): boolean {
  const named = (falls: readonly Outage[]) => falls.map(({ node, runId, how }) => `${node} ${runId} ${how}`).toSorted();
  return named(a).join() === named(b).join();
}

/** As often as it was tried. */
export function contended(): StateUnavailable {
  return new StateUnavailable(`the document ${STAGE_DOCUMENT} is changed by other jobs again and again`);
}
