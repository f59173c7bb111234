import pLimit from 'p-limit';
import type { NodeAddress } from '../shared/config/address.ts';
import type { Config, InstanceConfig } from '../shared/config/schema.ts';
import { NodeFailure } from '../shared/redis/failure.ts';
import { StateUnavailable } from '../shared/state/store.ts';
import type { Observation } from './decide/observation.ts';
import type { Problem } from './decide/outcome.ts';
import type { Ports, Session } from './ports.ts';

/** What one node answered. The session stays open for what may have to be done. */
export interface Seen {
  readonly instance: InstanceConfig;
  readonly node: NodeAddress;
  readonly session: Session;
  readonly observation: Observation;
}

/** Why it did not. */
export interface Unseen {
  readonly instance: InstanceConfig;
  readonly node: NodeAddress;
  readonly problem: Problem;
}

/** Hundreds of sockets are cheap, hundreds of TLS handshakes at once are not. */
const LOOKS_AT_ONCE = 32;

/** The first look at every chosen node, side by side. A node that cannot be seen is a result like any other. */
export async function lookAtAll(
  config: Config,
  { open }: Pick<Ports, 'open'>,
  isChosen: (node: string) => boolean,
): Promise<readonly (Seen | Unseen)[]> {
  const limit = pLimit(LOOKS_AT_ONCE);
  const nodes = config.instances.flatMap((instance) => instance.nodes.map((node) => ({ instance, node })));
  const chosen = nodes.filter(({ node }) => isChosen(node.id));
  return await Promise.all(chosen.map(({ instance, node }) => limit(() => lookAt(open, instance, node))));
}

/** Never throws. */
export async function lookAt(open: Ports['open'], instance: InstanceConfig, node: NodeAddress): Promise<Seen | Unseen> {
  let session: Session | undefined;
  try {
    session = await open(instance, node);
    return { instance, node, session, observation: await session.look() };
  } catch (error) {
    session?.close();
    return { instance, node, problem: problemOf(error) };
  }
}

/** The process that answers at each address: its `run_id`, where it says one. */
export function runsOf(looks: readonly (Seen | Unseen)[]): ReadonlyMap<string, string> {
  return new Map(
    looks.flatMap((look) =>
      'observation' in look && look.observation.runId !== undefined ? [[look.node.id, look.observation.runId]] : [],
    ),
  );
}

/**
 * Nodes that are a server which the config names under another address, too, with that address: the one that a lease is on, else the one
 * that the config names first. A `run_id` is one process.
 */
export function doublesOf(
  looks: readonly (Seen | Unseen)[],
  homes: ReadonlyMap<string, unknown>,
): ReadonlyMap<string, string> {
  const byRun = Map.groupBy(runsOf(looks), ([, runId]) => runId);
  return new Map(
    [...byRun.values()].flatMap((nodes) => {
      const names = nodes.map(([node]) => node);
      const main = names.find((node) => homes.has(node)) ?? names[0];
      return names.flatMap((node) => (node === main || main === undefined ? [] : [[node, main] as const]));
    }),
  );
}

/** Troubles of the world are expected; what is not one of them is a bug, and is said to be. */
export function problemOf(error: unknown): Problem {
  if (error instanceof NodeFailure) return { kind: error.kind, message: error.message, expected: true };
  if (error instanceof StateUnavailable) return { kind: 'state-unavailable', message: error.message, expected: true };
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { kind: 'unexpected', message, expected: false };
}
