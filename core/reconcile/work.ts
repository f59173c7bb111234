import { nodesOf } from '../config/fleet.ts';
import type { Config } from '../config/schema.ts';
import { isoText } from '../format/units.ts';
import type { Ports } from '../ports/ports.ts';
import { unlessUnavailable } from '../ports/state-store.ts';
import { takeBatch } from '../state/batches.ts';
import { BATCH_VERSION, type Batch, configOf, readBatch } from './batch.ts';
import { pollLeases } from './poll-leases.ts';
import { type TickOptions, WHOLE_FLEET } from './scope.ts';
import { failIfUnexpected } from './summary.ts';

/**
 * Checks the nodes of one message, and follows the defrags that run on them. A message that is late, that comes twice, or that is for another
 * config is dropped: the next tick hands out the same nodes.
 *
 * @throws TypeError for what is not a batch
 * @throws {MaintenanceFailed} after the report, where the job itself does not work
 */
export async function work(
  body: string,
  config: Config,
  ports: Ports,
  options: Pick<TickOptions, 'holder' | 'remaining'>,
): Promise<void> {
  const batch = readBatch(body);
  const why = refusalOf(batch, config, ports.clock.now());
  if (!isBatch(batch) || why !== undefined) return ports.log.warn('batch not checked', { why });
  const { number, at, nodes } = batch;
  // Without the store nothing is begun, and a second check does no harm.
  if (!(await unlessUnavailable(takeBatch(ports.store, number, at), () => true)))
    return ports.log.warn('batch not checked', { why: `number ${number} of this or a later tick was taken before` });
  const { config: own, gone } = configOf(batch, config);
  for (const instance of gone)
    ports.log.warn('instance not checked', { instance, why: 'the config of this worker does not have it' });
  if (own.instances.length === 0) return;
  const part = { kind: 'batch', at, nodes, ...othersIn(config, own) } as const;
  failIfUnexpected(await pollLeases(own, ports, { ...options, mode: 'act', scope: WHOLE_FLEET, part }));
}

function othersIn(config: Config, own: Config): { readonly others?: readonly string[] } {
  if (config.instances.some(({ discover }) => discover?.cluster)) return {};
  const named = new Set(nodesOf(own));
  return { others: nodesOf(config).filter((node) => !named.has(node)) };
}

function isBatch(read: ReturnType<typeof readBatch>): read is Batch {
  return 'instances' in read;
}

/** Why a message is dropped. */
function refusalOf(batch: ReturnType<typeof readBatch>, { stage, schedule }: Config, now: number): string | undefined {
  if (!isBatch(batch))
    return `it is of version ${batch.schema}, and this worker reads version ${BATCH_VERSION}: dispatch and worker are of one deployment soon`;
  if (batch.stage !== stage) return `it is of the stage ${batch.stage}, and this worker is of ${stage}`;
  if (batch.at - now >= schedule.every) return `its tick of ${isoText(batch.at)} has not come yet: compare the clocks`;
  if (now - batch.at < schedule.every) return undefined;
  return `it is of the tick of ${isoText(batch.at)}, and the next one has handed out the same nodes`;
}
