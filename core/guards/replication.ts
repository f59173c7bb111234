import { type Bytes, MIB, type Milliseconds, SECOND } from '../config/units.ts';
import type { ReplicationBlocker } from '../domain/blocker.ts';
import type { Observation } from '../domain/observation.ts';
import type { Peer, Replication } from '../domain/replication.ts';

// Before Offpeak acts, replication needs another good copy of the data: an action may fail.

/** A primary pings its replicas every 10 s (`repl-ping-replica-period`), and gives the link up after 60 (`repl-timeout`). */
const SILENCE: Milliseconds = 30 * SECOND;

/** A replica acknowledges each second; by default, one that has not done so for 10 s does not count as good (`min-replicas-max-lag`). */
const LAG: Milliseconds = 10 * SECOND;

/** Where a replica is behind by more for a minute, the primary hangs up on it (`client-output-buffer-limit replica`, soft limit). */
const BEHIND: Bytes = 64 * MIB;

/**
 * These also end a run. A replica that receives nothing from its primary, or cannot keep up, must not be slowed down further: it may be
 * promoted next.
 */
export function replicationBlockers({ replication }: Observation): readonly ReplicationBlocker[] {
  const { primarySyncInProgress, primaryLinkUp, replicasSyncing, failoverInProgress } = replication;
  // For any role (KeyDB: active-replica): only a server that follows another one reports these.
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
 * Reasons not to start on a primary, which would not end a run: a cycle stays as short as before, and the consequence of a missing replica (a
 * full sync, a failover) ends it. `named`: nodes of the instance besides this one.
 */
export function copiesMissing(
  { replication, isCluster }: Observation,
  nodes: readonly Peer[],
  named: number,
): readonly ReplicationBlocker[] {
  // A server that reports neither role takes writes, too (KeyDB: active-replica), and comes with the primaries.
  if (replication.role === 'replica') return [];
  const peers = nodes.filter(({ isDouble }) => !isDouble);
  const configured = named - (nodes.length - peers.length);
  const silent = peers.filter((peer) => peer.replication === undefined).map(({ node }) => node);
  // An instance may hold several primaries of a cluster: each replica that answers has one of them. And a replica may have replicas.
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

/** Where `min-replicas-to-write` is set, the server itself reports how many of its replicas are good. */
function goodOf({ connectedReplicas = 0, goodReplicas = connectedReplicas }: Replication): number {
  return Math.min(connectedReplicas, goodReplicas);
}

function behind(
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
