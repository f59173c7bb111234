import * as z from 'zod/mini';
import { type StateStore, StateUnavailable } from '../ports/state-store.ts';
import { type DocumentKind, decode, encode } from './codec.ts';
import { BATCH } from './keys.ts';

interface Taken {
  /** Of the tick, epoch ms. */
  readonly at: number;
}

const BATCH_KIND: DocumentKind<Taken> = { schema: 1, shape: z.looseObject({ at: z.number() }) };

const TRIES = 5;

/**
 * Takes the batch of this number for the tick of `at` (epoch ms). False: this or a later tick's has been taken. So a message that SQS brings
 * twice is counted once, and one that comes out of order is dropped. @throws {StateUnavailable}
 */
export async function takeBatch(store: StateStore, number: number, at: number): Promise<boolean> {
  const key = BATCH + String(number).padStart(5, '0');
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const stored = await store.read(key);
    if (stored !== undefined && decode(BATCH_KIND, key, stored.value).at >= at) return false;
    const { stored: isTaken } = await store.write(key, encode(BATCH_KIND, { at }), stored?.version);
    if (isTaken) return true;
  }
  throw new StateUnavailable(`the document ${key} is changed by other workers again and again`);
}
