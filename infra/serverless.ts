import { type Json, sub, type Template } from './cloudformation.ts';
import { FUNCTIONS, functionName, maintainSettings, notifierSettings } from './functions.ts';
import { loadConfig } from './load.ts';
import { ID } from './names.ts';
import { type Parameters, readNetwork } from './network.ts';
import { template } from './template.ts';

/** What serverless.yml takes from here, by the names under which it does. */
export interface ServerlessValues {
  readonly resources: Template;
  /** Seconds, both. */
  readonly timeout: number;
  readonly maximumEventAge: number;
  readonly environment: Readonly<Record<string, Json>>;
  readonly vpc: Json | null;
  readonly logRetention: number;
  /** The Slack function by its key, or nothing. */
  readonly notifier: Readonly<Record<string, Json>>;
}

/**
 * The stack of a stage.
 * @throws {UnknownStage} {ConfigError} {ParameterError} with everything that is wrong.
 */
export function serverlessValues(root: string, stage: string, parameters: Parameters): ServerlessValues {
  const config = loadConfig(root, stage);
  const network = readNetwork(parameters);
  const settings = notifierSettings(config);
  const folder = FUNCTIONS.notifySlack;
  const notifySlack = settings && {
    name: functionName(stage, 'notifySlack'),
    description: 'Posts alerts and alarms to Slack',
    handler: `dist/${folder}/handler.handler`,
    role: sub(`\${${ID.notifierRole}.Arn}`),
    ...settings,
    package: { patterns: ['!**', `dist/${folder}/**`] },
  };
  return {
    resources: template(config, network),
    ...maintainSettings(config, network),
    logRetention: config.logRetention,
    notifier: notifySlack ? { notifySlack } : {},
  };
}
