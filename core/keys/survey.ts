import type { NodeAddress } from '../config/address.ts';
import type { Config, InstanceConfig } from '../config/schema.ts';
import { discoverFleet } from '../discovery/discover-fleet.ts';
import type { KeyReport, KeySample } from '../domain/keys.ts';
import type { Observation } from '../domain/observation.ts';
import type { KeyReader } from '../ports/key-reader.ts';
import { NodeFailure, type Session } from '../ports/node-session.ts';
import type { Ports } from '../ports/ports.ts';
import { analyse } from './analyse.ts';
import { type SamplingOptions, sampleKeys } from './sample.ts';

/** What became of one node. */
export interface NodeSurvey {
  readonly instance: string;
  /** Empty where the nodes of the instance could not be found. */
  readonly node: string;
  readonly observation?: Observation;
  readonly result: /** `sample` without the facts: names stay here. */
    | { readonly kind: 'sampled'; readonly report: KeyReport; readonly sample: Omit<KeySample, 'facts'> }
    /** Another node of the instance holds the same data, and was sampled. */
    | { readonly kind: 'same-data'; readonly as: string }
    | { readonly kind: 'failed'; readonly message: string }
    | { readonly kind: 'interrupted' };
}

interface Reached {
  readonly node: NodeAddress;
  readonly session: Session;
  readonly observation: Observation;
  readonly reader: KeyReader;
}

/** Samples all instances, one after the other, with the nodes that they discover. */
export async function* surveyFleet(config: Config, ports: Ports, options: SamplingOptions): AsyncGenerator<NodeSurvey> {
  const fleet = await discoverFleet(config, ports);
  for (const [instance, message] of fleet.failures) yield { instance, node: '', result: { kind: 'failed', message } };
  for (const instance of fleet.config.instances) yield* surveyInstance(instance, ports, options);
}

/**
 * Samples one node for each copy of data that the instance holds, one after the other: of a replication group a replica, where no client
 * writes, and the primary only if no replica can be sampled; of a Cluster each shard apart.
 */
export async function* surveyInstance(
  instance: InstanceConfig,
  { open, clock }: Pick<Ports, 'open' | 'clock'>,
  options: SamplingOptions,
): AsyncGenerator<NodeSurvey> {
  const tries = await Promise.all(instance.nodes.map((node) => reach(instance, node, open)));
  const reached = tries.filter((one) => 'session' in one);
  try {
    yield* tries.filter((one) => 'result' in one);
    for (const copies of Map.groupBy(reached, datasetOf).values())
      yield* surveyCopies(copies, instance, clock, options);
  } finally {
    for (const { session } of reached) session.close();
  }
}

async function reach(instance: InstanceConfig, node: NodeAddress, open: Ports['open']): Promise<Reached | NodeSurvey> {
  let session: Session | undefined;
  try {
    session = await open(instance, node);
    const observation = await session.look();
    return { node, session, observation, reader: await session.keys(observation) };
  } catch (error) {
    session?.close();
    if (!(error instanceof NodeFailure)) throw error;
    return { instance: instance.id, node: node.id, result: { kind: 'failed', message: error.message } };
  }
}

/** A server that does not say which data it holds stands for itself. */
function datasetOf({ node, observation, reader }: Reached): string {
  return reader.space.dataset ?? observation.runId ?? node.id;
}

async function* surveyCopies(
  copies: readonly Reached[],
  instance: InstanceConfig,
  clock: Ports['clock'],
  options: SamplingOptions,
): AsyncGenerator<NodeSurvey> {
  const rank = ({ observation }: Reached) => (observation.replication.role === 'replica' ? 0 : 1);
  let sampled: string | undefined;
  for (const one of copies.toSorted((a, b) => rank(a) - rank(b))) {
    const about = { instance: instance.id, node: one.node.id, observation: one.observation };
    if (sampled !== undefined) yield { ...about, result: { kind: 'same-data', as: sampled } };
    else if (options.interrupted()) yield { ...about, result: { kind: 'interrupted' } };
    else {
      const { facts, ...sample } = await sampleKeys({ ...one, instance }, options, clock);
      const report = analyse({ ...sample, facts }, one.observation);
      if (report.drawn > 0 || sample.end.kind === 'empty') sampled = one.node.id;
      yield { ...about, result: { kind: 'sampled', report, sample } };
    }
  }
}
