import { MOST_NODES_IN_ONE_FUNCTION, nodesIn, usesQueue } from '../config/fleet.ts';
import type { Config } from '../config/schema.ts';
import type { Fleet } from '../domain/discovered.ts';
import { strayPauseText } from '../format/pause.ts';
import { strayPauses } from '../state/pauses.ts';
import type { Snapshot, State } from './snapshot.ts';

/** What the discoveries have to say, in sentences. */
export function remarksOfFleet({ failures, leftOut }: Pick<Fleet, 'failures' | 'leftOut'>): readonly string[] {
  return [...[...failures].map(failureText), ...leftOut];
}

/** Of those that a person has to fix: the same sentences. */
export function mistakesOfFleet(
  { failures, mistakes }: Pick<Fleet, 'failures' | 'mistakes'>,
  isAsked: (instance: string) => boolean,
): readonly string[] {
  return [...failures].filter(([instance]) => mistakes.has(instance) && isAsked(instance)).map(failureText);
}

function failureText([instance, why]: readonly [instance: string, why: string]): string {
  return `${instance}: its nodes could not be found now: ${why}`;
}

/** What concerns the stage as a whole, in sentences: a fleet that is too large for one function, pauses of instances that are gone. */
export function remarksOfStage(
  config: Config,
  snapshot: Snapshot,
  { failures, now }: Pick<Fleet, 'failures'> & { readonly now: number },
): readonly string[] {
  const pauses = snapshot.kind === 'unavailable' ? [] : pausesOf(snapshot, config, [...failures.keys()], now);
  return [...crowded(config), ...pauses];
}

/** Only a discovery can find so many: where the config names them, there is a queue. */
function crowded(config: Config): readonly string[] {
  const nodes = nodesIn(config.instances);
  if (usesQueue(config) || config.fleet.queue === 'never' || nodes <= MOST_NODES_IN_ONE_FUNCTION) return [];
  const [found, limit] = [nodes, MOST_NODES_IN_ONE_FUNCTION].map((count) => count.toLocaleString('en'));
  return [
    `${found} nodes were found, and one function checks ${limit} in good time: set fleet.queue: always, and deploy`,
  ];
}

function pausesOf(
  { pauses }: Pick<State, 'pauses'>,
  { stage, instances, schedule }: Config,
  unfound: readonly string[],
  now: number,
): readonly string[] {
  const moment = { timezone: schedule.timezone, now, stage };
  return strayPauses(pauses, { instances, unfound }, now).map(({ scope, pause, covers }) =>
    strayPauseText(scope, pause, covers, moment),
  );
}
