import { enqueue } from '../alerts/outbox.ts';
import type { InstanceConfig } from '../config/schema.ts';
import type { StageBlocker } from '../domain/blocker.ts';
import type { Facts, StopReason } from '../domain/plan.ts';
import type { GroupReport, ParameterGroups } from '../ports/parameter-groups.ts';
import type { Ports } from '../ports/ports.ts';
import { type GroupLease, type HeldGroup, writeGroupLease } from './lease.ts';
import { type GroupEvent, groupAlert } from './words.ts';

/** What a step on a group needs to know and to use. */
export interface GroupRun {
  readonly ports: Ports;
  readonly groups: ParameterGroups;
  readonly stage: string;
  readonly holder: string;
  readonly instances: readonly InstanceConfig[];
  readonly mode: 'plan' | 'act';
  readonly release?: StopReason;
  readonly byHand?: true;
  /** The store cannot be read: nothing is started or written, and what has to end is restored. */
  readonly storeIsDown?: true;
  /** A tick of everything: it asks AWS again. While a run is followed there is a check every few seconds. */
  readonly isWhole: boolean;
  /** Whether the tick was interrupted, or its time is over. */
  readonly isOver: () => boolean;
  /** A place of the stage for each node of a group, before it is switched: nothing, or what stands in the way. @throws {StateUnavailable} */
  claim(lease: GroupLease, nodes: readonly Facts[]): Promise<readonly StageBlocker[]>;
  /** Why nothing may be started on a node: a document that cannot be read. */
  obstacle(node: string): string | undefined;
  /** As the tick has first seen a node; undefined: it did not answer, or was not asked. */
  seen(node: string): Facts | undefined;
  /** A new check of it; `examined`: with what only a start asks for. Undefined: it does not answer. */
  look(node: string, options?: { readonly examined: boolean }): Promise<Facts | undefined>;
}

/** Another job has written the lease meanwhile: this one touches the group no more. */
export class AnotherJob extends Error {
  override readonly name = 'AnotherJob';
}

/** @throws {AnotherJob} {StateUnavailable} */
export async function write(run: GroupRun, lease: GroupLease, before?: HeldGroup): Promise<HeldGroup> {
  const written = await writeGroupLease(run.ports.store, lease, before);
  if (!written) throw new AnotherJob('another job has the lease of this parameter group');
  return written;
}

/** Puts the alert into the outbox. False: it was not stored, so that the lease has to stay. */
export async function announce(run: GroupRun, lease: GroupLease, event: GroupEvent): Promise<boolean> {
  const alert = groupAlert(lease, event, { stage: run.stage, at: run.ports.clock.now() });
  return (await enqueue(run.ports, run.holder, [alert])).length === 0;
}

export function reportOf({ service, region, group, nodes }: GroupLease, line: string): GroupReport {
  return { service, region, group, line, leased: nodes.map(({ instance, node }) => ({ instance, node })) };
}
