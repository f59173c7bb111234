import { systemClock } from '../../core/adapters/clock.ts';
import type { Config } from '../../core/config/schema.ts';
import { discoverFleet } from '../../core/discovery/discover-fleet.ts';
import { EXIT } from '../exit.ts';
import { chosenInstances } from '../fleet.ts';
import type { StatusOptions } from '../options.ts';
import { loadConfig, stateStore, stateText, warnOfClearText } from '../place.ts';
import { stderrLog, terminalPorts } from '../ports.ts';
import { discoveredJson, discoveredLines } from '../render/discovered.ts';
import { zoneOf } from '../render/zone.ts';

/** What a tick would find now. Nothing is written: what has changed is still to be reported by the job. */
export async function discover(ids: readonly string[], options: StatusOptions): Promise<void> {
  const { config } = loadConfig(options);
  warnOfClearText(config);
  const asked = ids.length === 0 ? config.instances : chosenInstances(config.instances, ids, 'discover');
  const chosen: Config = { ...config, instances: asked };
  const store = await stateStore(options, config.stage);
  const { ports } = await terminalPorts(store, systemClock(), { ...stderrLog({}), warn: () => {} });
  // With all others: a node that the config names itself is left out of what is found.
  const isAsked = (id: string) => asked.some((one) => one.id === id);
  const whole = await discoverFleet(config, ports, { isAsked });
  const fleet = { ...whole, found: new Map([...whole.found].filter(([by]) => isAsked(by))) };
  const head = { at: Date.now(), stage: config.stage, state: stateText(options, config.stage) };
  const text = options.json
    ? discoveredJson(head, fleet)
    : discoveredLines(fleet, { timezone: zoneOf(chosen.instances, config.schedule.timezone) }).join('\n');
  process.stdout.write(`${text}\n`);
  const isFailed = [...fleet.found.keys()].some((by) => fleet.failures.has(by));
  process.exitCode = isFailed ? EXIT.failed : EXIT.fine;
}
