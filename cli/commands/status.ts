import { nodesOf } from '../../core/config/fleet.ts';
import type { Config } from '../../core/config/schema.ts';
import { strayPauseText } from '../../core/format/pause.ts';
import { timeText } from '../../core/format/units.ts';
import { readGroupLeases } from '../../core/managed/lease.ts';
import { readState, type State } from '../../core/reconcile/snapshot.ts';
import { readMemberships } from '../../core/state/memberships.ts';
import { strayPauses } from '../../core/state/pauses.ts';
import { EXIT } from '../exit.ts';
import { chosenInstances, fleetKnown } from '../fleet.ts';
import type { StatusOptions } from '../options.ts';
import { loadConfig, stateStore, stateText } from '../place.ts';
import { doneLines, doneOn } from '../render/history.ts';
import { heldVersions, statusAt, statusLines } from '../render/status.ts';
import { type Head, historyJson, statusJson } from '../render/status-json.ts';
import { zoneOf } from '../render/zone.ts';

export async function status(options: StatusOptions): Promise<void> {
  const { config, store, state, head } = await stateOf(options);
  const garbled: string[] = [];
  const held = await readGroupLeases(store, (_, why) => garbled.push(why));
  const groups = held.map(({ lease }) => lease);
  const written = config.instances.filter(({ found }) => !found).map(({ id }) => id);
  const memberships = await readMemberships(store, written);
  const read = statusAt(config, state, { now: head.at, groups, memberships });
  const known = {
    ...read,
    unreadable: [...read.unreadable, ...garbled],
    remarks: [...read.remarks, ...strayIn(config, state, head.at), ...heldVersions(state, head.at, zoneFor(config))],
  };
  print(options, statusJson(head, known), [headline(options, config, head), ...statusLines(known, zoneFor(config))]);
  process.exitCode = known.unreadable.length > 0 ? EXIT.failed : EXIT.fine;
}

/** Pauses of instances that the config does not have: they pause nothing. */
function strayIn(config: Config, { pauses }: State, now: number): readonly string[] {
  const { instances, stage } = config;
  const unfound = instances.filter(({ discover }) => discover).map(({ id }) => id);
  return strayPauses(pauses, { instances, unfound }, now).map(({ scope, pause, covers }) =>
    strayPauseText(scope, pause, covers, { stage, timezone: zoneFor(config) }),
  );
}

export async function history(ids: readonly string[], options: StatusOptions): Promise<void> {
  const { config, state, head } = await stateOf(options);
  const instances = ids.length === 0 ? config.instances : chosenInstances(config.instances, ids, 'history');
  const done = doneOn(instances, state);
  const lines = done.length === 0 ? ['No action is known of these nodes.'] : doneLines(done, zoneFor(config));
  print(options, historyJson(head, done), [headline(options, config, head), ...lines]);
}

async function stateOf(options: StatusOptions) {
  const { config: written } = loadConfig(options);
  const store = await stateStore(options, written.stage);
  const config = await fleetKnown(written, store);
  const state = await readState(store, nodesOf(config));
  const head: Head = { at: Date.now(), stage: config.stage, state: stateText(options, config.stage) };
  return { config, store, state, head };
}

function print({ json }: StatusOptions, document: string, lines: readonly string[]): void {
  process.stdout.write(json ? `${document}\n` : `${lines.join('\n')}\n`);
}

function headline({ config: file }: StatusOptions, config: Config, { at, stage, state }: Head): string {
  return `${timeText(at, { timezone: zoneFor(config) })}  ${stage} (config ${file}), state in ${state}`;
}

function zoneFor({ instances, schedule }: Config): string {
  return zoneOf(instances, schedule.timezone);
}
