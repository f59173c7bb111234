import { systemClock } from '../../core/adapters/clock.ts';
import type { Config } from '../../core/config/schema.ts';
import { type NodeSurvey, surveyFleet } from '../../core/keys/survey.ts';
import type { Ports } from '../../core/ports/ports.ts';
import { EXIT } from '../exit.ts';
import { chosenInstances, fleetNow } from '../fleet.ts';
import { interruption } from '../interrupt.ts';
import type { KeysOptions } from '../options.ts';
import { stderrLog, terminalPorts } from '../ports.ts';
import { keysLines } from '../render/keys.ts';
import { keysJson } from '../render/keys-json.ts';
import { styleFor } from '../render/style.ts';
import { addressed, configured, NO_STATE, type Subject } from '../subject.ts';

/** Samples the keys of each instance, one node after the other, and says where their bytes are. */
export async function keys(addresses: readonly string[], options: KeysOptions): Promise<void> {
  const subject = addresses.length > 0 ? addressed('keys', addresses, options) : configured('keys', options);
  const { signal } = interruption(() => process.stderr.write('\noffpeak: interrupted: printing what was drawn\n'));
  const clock = systemClock({ signal });
  const { ports } = await terminalPorts(NO_STATE, clock, stderrLog(options), subject);
  const config = await chosenFleet(subject, ports);
  const { samples, duration, budget, readValues = false } = options;
  const sampling = { samples, duration, budget, readValues, interrupted: () => signal.aborted };
  const style = styleFor(process.stdout, process.env, options);
  const all: NodeSurvey[] = [];
  const at = clock.now();
  for await (const survey of surveyFleet(config, ports, sampling)) {
    all.push(survey);
    if (!options.json) process.stdout.write(`${keysLines(survey, style).join('\n')}\n\n`);
  }
  if (options.json) process.stdout.write(`${keysJson(at, config.stage, all)}\n`);
  process.exitCode = signal.aborted ? EXIT.interrupted : all.some(isMissing) ? EXIT.failed : EXIT.fine;
}

/** Discovered only where a shard is named: the survey itself finds the nodes of instances. */
async function chosenFleet({ config, ids }: Pick<Subject, 'config' | 'ids'>, ports: Ports): Promise<Config> {
  if (ids === undefined) return config;
  const isInConfig = ids.every((id) => config.instances.some((instance) => instance.id === id));
  const fleet = isInConfig ? config : await fleetNow(config, ports, { leases: new Map() });
  return { ...fleet, instances: chosenInstances(fleet.instances, ids, '--instance') };
}

/** Nothing is known of its keys, although there may be some. */
function isMissing({ result }: NodeSurvey): boolean {
  return (
    result.kind === 'failed' || (result.kind === 'sampled' && isCutOff(result.sample.end.kind, result.report.drawn))
  );
}

function isCutOff(end: string, drawn: number): boolean {
  return end === 'failed' || (end === 'guard' && drawn === 0);
}
