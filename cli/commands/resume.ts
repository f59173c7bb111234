import type { Config } from '../../core/config/schema.ts';
import { covers } from '../../core/domain/pause.ts';
import { pauseText } from '../../core/format/pause.ts';
import type { StateStore } from '../../core/ports/state-store.ts';
import { PAUSE } from '../../core/state/keys.ts';
import { asPause, EVERY_INSTANCE, endPause, readPauses } from '../../core/state/pauses.ts';
import { type CommandLine, commandLineFor } from '../command-line.ts';
import { EXIT } from '../exit.ts';
import { chosenInstances, fleetKnown } from '../fleet.ts';
import type { PlaceOptions } from '../options.ts';
import { loadConfig, remindOfFile, stateStore, stateText } from '../place.ts';

export async function resume(ids: readonly string[], options: PlaceOptions): Promise<void> {
  const { config } = loadConfig(options);
  const store = await stateStore(options, config.stage);
  const documents = await store.list(PAUSE);
  const stored = new Map([...documents].map(([key, { value }]) => [key.slice(PAUSE.length), value]));
  // An instance that the config no longer names can still be paused.
  const wanted = ids.filter((id) => id !== EVERY_INSTANCE && stored.has(id));
  const { instances } = await fleetKnown(config, store);
  const others = ids.filter((id) => !wanted.includes(id));
  chosenInstances(instances, others, 'resume');
  remindOfFile(options, config.stage);
  const scopes = ids.length === 0 ? [...stored.keys()] : [...new Set(ids)];
  const lines = await Promise.all(scopes.map((scope) => ended(store, scope, stored.get(scope), config)));
  const where = `stage ${config.stage} (config ${options.config}) in ${stateText(options, config.stage)}`;
  const said = lines.length > 0 ? lines : [`no pause found for ${where}`];
  const still =
    ids.length === 0 ? [] : await stillPaused(store, scopes, { ...config, instances }, commandLineFor(options));
  process.stdout.write(`${[...said, ...still].join('\n')}\n`);
  process.exitCode = still.length > 0 ? EXIT.failed : EXIT.fine;
}

async function ended(store: StateStore, scope: string, value: unknown, config: Config): Promise<string> {
  const name = scope === EVERY_INSTANCE ? 'all instances' : scope;
  if (!(await endPause(store, scope))) return `${name}: was not paused`;
  const was = asPause(value);
  if (!was) return `${name}: resumed; its pause could not be read`;
  return was.until <= Date.now()
    ? `${name}: its pause had already ended`
    : `${name}: resumed; it was ${pauseText(was, momentOf(scope, config))}`;
}

/** The pause of all, or of the instance that had a node before, is not ended by naming this one: another person wants it for the others. */
async function stillPaused(
  store: StateStore,
  scopes: readonly string[],
  config: Config,
  commandLine: CommandLine,
): Promise<readonly string[]> {
  const { pauseOf, stored } = await readPauses(store);
  return scopes.flatMap((scope) => {
    const nodes = config.instances.filter(({ id }) => covers(scope, id)).flatMap((instance) => instance.nodes);
    const instance = { id: scope, nodes };
    const pause = pauseOf(instance, Date.now());
    if (!pause) return [];
    const [by] = [...stored].find(([, one]) => one.pause === pause) ?? [EVERY_INSTANCE];
    const isAll = by === EVERY_INSTANCE;
    const why = isAll
      ? 'because all instances are'
      : `because ${covers(by, scope) ? `${by} is` : `one of its nodes belonged to ${by}`}`;
    return [
      `${scope}: still ${pauseText(pause, momentOf(scope, config))}, ${why}. To end that pause:`,
      `  ${isAll ? commandLine('resume') : commandLine('resume', by)}`,
    ];
  });
}

function momentOf(scope: string, { instances, schedule }: Config) {
  return {
    timezone: instances.find(({ id }) => covers(id, scope) || covers(scope, id))?.timezone ?? schedule.timezone,
    now: Date.now(),
  };
}
