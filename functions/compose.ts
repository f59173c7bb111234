import { createSinks } from '../core/adapters/aws/sinks.ts';
import { systemClock } from '../core/adapters/clock.ts';
import { readConfig } from '../core/adapters/config-file.ts';
import { createPorts } from '../core/compose.ts';
import { CLEAR_TEXT_REMEDY, passwordsInClear } from '../core/config/clear-text.ts';
import { ENVIRONMENT, required } from '../core/config/environment.ts';
import type { Config } from '../core/config/schema.ts';
import type { Log } from '../core/ports/log.ts';
import type { Ports } from '../core/ports/ports.ts';
import type { StateStore } from '../core/ports/state-store.ts';
import { openStateStore } from '../core/state/open-store.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Everything that a container of the job needs, made once: its config, its table, CloudWatch, SNS.
 * @throws {EnvironmentError} {ConfigError} {AwsEnvironmentError} naming what is missing or wrong.
 */
export function compose(env: Environment, log: Log): { readonly config: Config; readonly ports: Ports } {
  const stage = required(env, ENVIRONMENT.stage, 'the stage, like prod');
  const config = readConfig(env[ENVIRONMENT.configFile] || `config/${stage}.yml`, stage);
  for (const { instance, nodes } of passwordsInClear(config))
    log.warn('the password crosses the network unencrypted', { instance, nodes, next: CLEAR_TEXT_REMEDY });
  const store = stateStore(env);
  return { config, ports: createPorts({ ...createSinks(env, config), store, clock: systemClock(), log, env }) };
}

function stateStore(env: Environment): StateStore {
  const { stateTable, stateFile } = ENVIRONMENT;
  const purpose = `the path of the state file, or set ${stateTable} to the name of a table`;
  const otherwise = () => required(env, stateFile, purpose);
  return openStateStore(env, { asked: env[stateFile], askedBy: stateFile, otherwise });
}
