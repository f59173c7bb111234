import * as z from 'zod/mini';
import type { UnlistedNode } from '../domain/discovered.ts';
import type { StateStore } from '../ports/state-store.ts';
import { type DocumentKind, decode, encode, isNewer, readEach } from './codec.ts';
import { membershipKey } from './keys.ts';

/** What the nodes of an instance that names them have said, when they were last asked, of nodes beside them. */
export interface Membership {
  /** Epoch ms. */
  readonly at: number;
  /** The nodes that the instance named then. */
  readonly nodes: readonly string[];
  /** Nodes that were live, and that no instance named. */
  readonly unlisted: readonly UnlistedNode[];
  /** The ids of those that were reported. */
  readonly reported: readonly string[];
}

const MEMBERSHIP_KIND: DocumentKind<Membership> = {
  schema: 1,
  shape: z.looseObject({
    at: z.number(),
    nodes: z.array(z.string()),
    unlisted: z.array(z.looseObject({ id: z.string(), address: z.string() })),
    reported: z.array(z.string()),
  }),
};

export interface HeldMembership {
  /** Absent where there is none, or one that no version has written like that. */
  readonly document?: Membership;
  readonly version?: number;
}

/** By instance. Those of a newer version are left out: this one does not write there. @throws {StateUnavailable} */
export async function readMemberships(
  store: StateStore,
  instances: readonly string[],
): Promise<ReadonlyMap<string, HeldMembership>> {
  const stored = await store.readAll(instances.map(membershipKey));
  return new Map(
    instances.flatMap((instance) => {
      const key = membershipKey(instance);
      const found = stored.get(key);
      if (!found) return [[instance, {}] as const];
      if (isNewer(MEMBERSHIP_KIND, found.value)) return [];
      const [document] = readEach([[key, found]], (_, { value }) => decode(MEMBERSHIP_KIND, key, value));
      return [[instance, { version: found.version, ...(document && { document }) }] as const];
    }),
  );
}

/** Where another job was first, it has seen the same. @throws {StateUnavailable} */
export async function writeMembership(
  store: StateStore,
  instance: string,
  after: Membership,
  { document, version }: HeldMembership,
): Promise<void> {
  await store.write(membershipKey(instance), encode(MEMBERSHIP_KIND, after, document), version);
}
