import { type Bytes, MIB, type Milliseconds, SECOND } from '../config/units.ts';
import type { ReplicationBlocker } from '../domain/blocker.ts';
import type { Observation, Peer, Replication } from '../domain/observation.ts';

// What replication asks of whoever acts: a copy that is good, wherever something may go wrong.

/** A primary pings its replicas every 10 s (`repl-ping-replica-period`), and the link is given up after 60 (`repl-timeout`). */
const SILENCE: Milliseconds = 30 * SECOND;

/** A replica acknowledges each second; by default one that has not for 10 s is no good one (`min-replicas-max-lag`). */
const LAG: Milliseconds = 10 * SECOND;

/** Where a replica is behind by more for a minute, the primary hangs up on it (`client-output-buffer-limit replica`, soft limit). */
const BEHIND: Bytes = 64 * MIB;

/**
 * Dangers for a run as well. A replica that hears nothing from its primary, or cannot keep up with what it hears, is not to be slowed down
 * any more: it may be promoted next.
 */
export function replicationBlockers({ replication }: Observation): readonly ReplicationBlocker[] {
  const { primarySyncInProgress, primaryLinkUp, replicasSyncing, failoverInProgress } = replication;
  // Whatever it calls itself (KeyDB: active-replica): only a server that follows another one reports these.
  const isSyncing = primarySyncInProgress === true || primaryLinkUp === false;
  const blockers: (ReplicationBlocker | undefined)[] = [
    isSyncing ? { kind: 'replica-syncing', linkUp: primaryLinkUp ?? false } : undefined,
    replicasSyncing > 0 ? { kind: 'feeding-full-sync', replicas: replicasSyncing } : undefined,
    failoverInProgress ? { kind: 'failover' } : undefined,
    behind('own', SILENCE, replication.primarySilentFor, replication.unapplied),
  ];
  return blockers.filter((blocker) => blocker !== undefined);
}

/**
 * What keeps a primary from being touched first of all, and would not end a run: the work that is done is done, a cycle is as short as
 * before, and what comes of a missing replica (a full sync, a failover) ends it. `named`: nodes of the instance besides this one.
 */
export function copiesMissing(
  { replication, isCluster }: Observation,
  nodes: readonly Peer[],
  named: number,
): readonly ReplicationBlocker[] {
  // What calls itself neither takes writes as well (KeyDB: active-replica), and has its turn with the primaries.
  if (replication.role === 'replica') return [];
  const peers = nodes.filter(({ isDouble }) => !isDouble);
  const configured = named - (nodes.length - peers.length);
  const silent = peers.filter((peer) => peer.replication === undefined).map(({ node }) => node);
  // Of a cluster an instance may hold several primaries: each replica that answers has one of them. And a replica may have replicas.
  const wanted = isCluster ? peers.filter((peer) => peer.replication?.role === 'replica').length : configured;
  const connected = peers.reduce((sum, peer) => sum + (peer.replication?.connectedReplicas ?? 0), goodOf(replication));
  const blockers: (ReplicationBlocker | undefined)[] = [
    silent.length > 0 ? { kind: 'peers-silent', peers: silent, configured } : undefined,
    replication.connectedReplicas !== undefined && connected < wanted
      ? { kind: 'replicas-missing', connected, configured: wanted }
      : undefined,
    behind('replicas', LAG, replication.replicaSilentFor, replication.replicaBehind),
  ];
  return blockers.filter((blocker) => blocker !== undefined);
}

/** Where `min-replicas-to-write` is set, the server itself says how many of its replicas are good ones. */
function goodOf({ connectedReplicas = 0, goodReplicas = connectedReplicas }: Replication): number {
  return Math.min(connectedReplicas, goodReplicas);
}

export function behind(
  whose: 'own' | 'replicas',
  limit: Milliseconds,
  silentFor: Milliseconds = 0,
  bytes: Bytes = 0,
): ReplicationBlocker | undefined {
  const isSilent = silentFor > limit;
  const isBehind = bytes > BEHIND;
  if (!isSilent && !isBehind) return undefined;
  return { kind: 'replica-behind', whose, ...(isSilent && { silentFor }), ...(isBehind && { behind: bytes }) };
}
