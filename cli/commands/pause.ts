import { userInfo } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Config } from '../../core/config/schema.ts';
import type { Pause } from '../../core/domain/pause.ts';
import { pauseText } from '../../core/format/pause.ts';
import { readState, type State } from '../../core/reconcile/snapshot.ts';
import { EVERY_INSTANCE, isReason, putPause } from '../../core/state/pauses.ts';
import {
  chosenInstances,
  durationFrom,
  loadConfig,
  type PlaceOptions,
  remindOfFile,
  stateStore,
  withPlaceOptions,
} from '../options.ts';

interface PauseOptions extends PlaceOptions {
  readonly for: number;
  readonly reason: string;
}

export function addPause(program: Command): void {
  withPlaceOptions(program.command('pause'))
    .argument('[instance...]', 'ids of the config; without one: all instances, those to come included')
    .summary('watch only, for a while')
    .description(
      'Keeps every job that shares the state from acting: nothing is started, what runs is ended by the next tick and its' +
        ' settings go back. The instances are watched and published as ever. A second pause takes the place of the first.',
    )
    .addOption(
      new Option('--for <duration>', 'how long, 1m to 90d')
        .argParser(durationFrom('1m', '90d', '4h, 90m, 2d'))
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--reason <text>', 'why, for whoever wonders in the meantime: 1 to 200 printable characters')
        .argParser(parseReason)
        .makeOptionMandatory(),
    )
    .action(pause);
}

function parseReason(text: string): string {
  if (isReason(text)) return text;
  throw new InvalidArgumentError(
    `${JSON.stringify(text.slice(0, 40))} is not a reason; accepted: 1 to 200 printable characters on one line`,
  );
}

async function pause(ids: readonly string[], options: PauseOptions): Promise<void> {
  const { config } = loadConfig(options);
  const chosen = chosenInstances(config, ids, 'pause');
  remindOfFile(options, config.stage);
  const store = stateStore(options, config.stage);
  const before = await readState(store);
  const at = Date.now();
  const wanted: Pause = { until: at + options.for, reason: options.reason, by: whoever(), at };
  const everything = { scope: EVERY_INSTANCE, pause: wanted };
  const named = chosen.map(({ id, nodes }) => ({
    scope: id,
    pause: { ...wanted, nodes: nodes.map((node) => node.id) },
  }));
  for (const { scope, pause } of ids.length > 0 ? named : [everything]) {
    await putPause(store, scope, pause);
    process.stdout.write(`${pausedLines(scope, pause, before, config).join('\n')}\n`);
  }
}

function pausedLines(scope: string, wanted: Pause, { pauses, leases }: State, config: Config): readonly string[] {
  const everything = scope === EVERY_INSTANCE;
  const instance = config.instances.find(({ id }) => id === scope);
  const moment = { timezone: instance?.timezone ?? config.schedule.timezone, now: wanted.at };
  const [own, all] = [scope, EVERY_INSTANCE].map((key) => stillOn(pauses.stored.get(key)?.pause, wanted.at));
  const running = [...leases.values()].filter(
    ({ lease }) => everything || lease.instance === scope || wanted.nodes?.includes(lease.node),
  );
  const release = everything ? 'offpeak release' : `offpeak release ${scope}`;
  return [
    `${everything ? 'all instances' : scope}: ${pauseText(wanted, moment)}`,
    ...(own ? [`  in place of: ${pauseText(own, moment)}`] : []),
    ...(!everything && all && all.until > wanted.until ? [`  all instances are ${pauseText(all, moment)}`] : []),
    ...running.map(
      ({ lease }) =>
        `  ${lease.instance} ${lease.node} is being worked on: the next tick gives everything back, \`${release}\` does now`,
    ),
  ];
}

function stillOn(pause: Pause | undefined, now: number): Pause | undefined {
  return pause && now < pause.until ? pause : undefined;
}

/** The login name; a container may have none. */
function whoever(): string {
  const name = process.env.USER || process.env.LOGNAME || loginName();
  return isReason(name) ? name : 'somebody';
}

function loginName(): string {
  try {
    return userInfo().username;
  } catch {
    return '';
  }
}
