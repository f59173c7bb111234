import type { UnlistedNode } from '../domain/discovered.ts';
import { namesText } from './blocker-figures.ts';
import { countText } from './units.ts';

/** Nodes that an instance does not name, in one sentence, for a check, a run and `offpeak status`. */
export function unlistedText(instance: string, unlisted: readonly UnlistedNode[]): string {
  // A replica outside of a Cluster has no id of its own.
  const isOfCluster = unlisted.some(({ id, address }) => id !== address);
  const [whose, one, several, discovery] = isOfCluster
    ? (['its Cluster has', 'a node', 'nodes', 'discover.cluster'] as const)
    : (['its primary has', 'a replica', 'replicas', 'discover.sentinel'] as const);
  const what = unlisted.length === 1 ? `${one} that is` : `${countText(unlisted.length)} ${several} that are`;
  const names = namesText(unlisted.map(({ address }) => address));
  return `${instance}: ${whose} ${what} not named here: ${names}. Add what is missing to its nodes, or let ${discovery} find them`;
}
