import pLimit from 'p-limit';
import { auditStage } from '../audit/audit.ts';
import type { Config } from '../config/schema.ts';
import { discoverFleet } from '../discovery/discover-fleet.ts';
import type { Audited } from '../domain/audit.ts';
import { allHeld } from '../leases/lease-store.ts';
import type { Ports } from '../ports/ports.ts';
import { auditOne, type NodeAudit } from './audit-node.ts';
import { inScope, type Scope } from './scope.ts';
import { takeSnapshot } from './snapshot.ts';

/** What an audit found on all of them. */
export interface FleetAudit {
  /** Epoch ms. */
  readonly at: number;
  /** False for addresses of the command line. */
  readonly isConfigured: boolean;
  readonly nodes: readonly NodeAudit[];
  /** Answers about the config as a whole; none without one. */
  readonly stage: readonly Audited[];
}

/** Each node takes two seconds, nearly all of it waiting. */
const AUDITS_AT_ONCE = 16;

/**
 * Asks every node what an audit needs, side by side, and judges it. Reads only, but for one CONFIG SET that cannot succeed (`probeDefrag`). A node
 * that cannot be asked is an answer, too.
 *
 * @param isConfigured false for addresses of the command line: then nothing is said of windows, alarms and the stage
 */
export async function auditFleet(
  written: Config,
  ports: Ports,
  { scope, isConfigured }: { readonly scope: Scope; readonly isConfigured: boolean },
): Promise<FleetAudit> {
  const { open, clock } = ports;
  const at = clock.now();
  const { config, failures } = await discoverFleet(written, ports);
  const targets = config.instances.flatMap((instance) => instance.nodes.map((node) => ({ instance, node })));
  const leased = isConfigured ? await leasedNodes(ports) : new Set<string>();
  const nodes = await pLimit(AUDITS_AT_ONCE).map(inScope(targets, scope), ({ instance, node }) =>
    auditOne(open, clock.now, { instance, node, isConfigured, isLeased: leased.has(node.id) }),
  );
  const known = nodes.flatMap(({ facts }) => facts ?? []);
  return {
    at,
    isConfigured,
    nodes,
    stage: isConfigured ? auditStage({ config: written, nodes: known, failures }) : [],
  };
}

/** Nodes on which Offpeak's defrag is on. Where the state cannot be read, none is known. */
async function leasedNodes(ports: Ports): Promise<ReadonlySet<string>> {
  const snapshot = await takeSnapshot(ports, []);
  if (snapshot.kind === 'unavailable')
    ports.log.error("the state could not be read: a defrag of Offpeak may seem to be a person's", {
      why: snapshot.why,
    });
  const leases = snapshot.kind === 'readable' ? snapshot : snapshot.lastKnown;
  return new Set(allHeld(leases).map(({ lease }) => lease.node));
}
