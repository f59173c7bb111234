import { userInfo } from 'node:os';
import { systemClock } from '../../core/adapters/clock.ts';
import { nodesOf } from '../../core/config/fleet.ts';
import type { Config, InstanceConfig } from '../../core/config/schema.ts';
import { covers, isReason, type Pause } from '../../core/domain/pause.ts';
import { pauseText } from '../../core/format/pause.ts';
import { readState, type State } from '../../core/reconcile/snapshot.ts';
import { EVERY_INSTANCE, nodesOfPause, putPause } from '../../core/state/pauses.ts';
import { type CommandLine, commandLineFor } from '../command-line.ts';
import { EXIT } from '../exit.ts';
import { chosenInstances, fleetKnown } from '../fleet.ts';
import { leftOn } from '../left-on.ts';
import type { PauseOptions } from '../options.ts';
import { loadConfig, remindOfFile, stateStore } from '../place.ts';
import { stderrLog, terminalPorts } from '../ports.ts';

export async function pause(ids: readonly string[], options: PauseOptions): Promise<void> {
  const { config } = loadConfig(options);
  const store = await stateStore(options, config.stage);
  const { instances } = await fleetKnown(config, store);
  const chosen = chosenInstances(instances, ids, 'pause');
  remindOfFile(options, config.stage);
  const before = await readState(store, nodesOf({ instances }));
  const at = Date.now();
  const wanted: Pause = { until: at + options.for, reason: options.reason, by: userName(), at };
  const everything = { scope: EVERY_INSTANCE, pause: wanted };
  // In the order of the config.
  const scopes = new Set(chosen.flatMap((one) => ids.filter((id) => covers(id, one.id))));
  const named = [...scopes].map((scope) => {
    const nodes = nodesOfPause(scope, instances);
    return { scope, pause: { ...wanted, ...(nodes && { nodes }) } };
  });
  for (const { scope, pause } of ids.length > 0 ? named : [everything]) {
    await putPause(store, scope, pause);
    process.stdout.write(`${pausedLines(scope, pause, before, config, commandLineFor(options)).join('\n')}\n`);
  }
  // Another job's defrag is on in spite of the pause, where that job has another state.
  const asked = (ids.length > 0 ? chosen : instances).filter((instance) => !isLeased(instance, before));
  if (asked.length === 0) return;
  const { ports } = await terminalPorts(store, systemClock(), stderrLog({}));
  const { on, isOwn } = await leftOn(config, ports, asked);
  process.stdout.write(on.map((line) => `${line}\n`).join(''));
  if (isOwn) process.exitCode = EXIT.failed;
}

function isLeased({ id, nodes }: InstanceConfig, { leases }: State): boolean {
  return [...leases.values()].some(
    ({ lease }) => lease.instance === id || nodes.some((node) => node.id === lease.node),
  );
}

function pausedLines(
  scope: string,
  wanted: Pause,
  { pauses, leases }: State,
  config: Config,
  commandLine: CommandLine,
): readonly string[] {
  const everything = scope === EVERY_INSTANCE;
  const instance = config.instances.find(({ id }) => covers(id, scope));
  const moment = { timezone: instance?.timezone ?? config.schedule.timezone, now: wanted.at };
  const [own, all] = [scope, EVERY_INSTANCE].map((key) => stillOn(pauses.stored.get(key)?.pause, wanted.at));
  const running = [...leases.values()].filter(
    ({ lease }) => everything || covers(scope, lease.instance) || wanted.nodes?.includes(lease.node),
  );
  return [
    `${everything ? 'all instances' : scope}: ${pauseText(wanted, moment)}`,
    ...(own ? [`  replaces: ${pauseText(own, moment)}`] : []),
    ...(!everything && all && all.until > wanted.until ? [`  all instances are ${pauseText(all, moment)}`] : []),
    ...running.flatMap(({ lease }) => [
      `  Offpeak is working on ${lease.instance} ${lease.node}: the next tick stops that and restores the settings. To do it now:`,
      `    ${commandLine('release', lease.instance)}`,
    ]),
  ];
}

function stillOn(pause: Pause | undefined, now: number): Pause | undefined {
  return pause && now < pause.until ? pause : undefined;
}

/** The login name; a container may have none. */
function userName(): string {
  const name = process.env.USER || process.env.LOGNAME || loginName();
  return isReason(name) ? name : 'an unknown user';
}

function loginName(): string {
  try {
    return userInfo().username;
  } catch {
    return '';
  }
}
