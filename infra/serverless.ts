import { type AccountParameters, asAccountWants, readAccount, withTopic } from './account.ts';
import { sub } from './cloudformation.ts';
import { FUNCTIONS, functionName, maintainSettings, notifierSettings } from './functions.ts';
import type { Json } from './json.ts';
import { loadConfig } from './load.ts';
import { ID } from './names.ts';
import { type Parameters, readNetwork } from './network.ts';
import { withRunbook } from './runbook.ts';
import { template } from './template.ts';

/** What serverless.yml takes from here, by the names under which it does. */
export interface ServerlessValues {
  readonly resources: ReturnType<typeof asAccountWants>;
  readonly stackTags: Readonly<Record<string, string>>;
  /** Seconds, both. */
  readonly timeout: number;
  readonly maximumEventAge: number;
  readonly environment: Readonly<Record<string, Json>>;
  /** `~` outside of a VPC, as serverless.yml would write it. */
  readonly vpc: Json | null;
  readonly logRetention: number;
  /** The Slack function by its key, or nothing. */
  readonly notifier: Readonly<Record<string, Json>>;
}

/**
 * The stack of a stage.
 * @throws {UnknownStage} {ConfigError} {ParameterError} with everything that is wrong.
 */
export function serverlessValues(
  root: string,
  stage: string,
  parameters: Parameters & AccountParameters,
): ServerlessValues {
  const config = withRunbook(loadConfig(root, stage), root);
  const network = readNetwork(parameters);
  const account = readAccount(parameters);
  const { vpc, environment, ...job } = maintainSettings(config, network);
  const settings = notifierSettings(config);
  const functions = ['Maintain', ...(settings === undefined ? [] : ['NotifySlack'])];
  return {
    resources: asAccountWants(template(config, network), account, functions),
    stackTags: { project: 'offpeak', stage, ...account.tags },
    ...job,
    environment: withTopic(environment, account),
    vpc: vpc ?? null,
    logRetention: config.logRetention,
    notifier: settings === undefined ? {} : { notifySlack: notifierFunction(stage, settings) },
  };
}

function notifierFunction(stage: string, settings: NonNullable<ReturnType<typeof notifierSettings>>): Json {
  const { timeout, environment } = settings;
  const folder = FUNCTIONS.notifySlack;
  return {
    name: functionName(stage, 'notifySlack'),
    description: 'Posts alerts and alarms to Slack',
    handler: `dist/${folder}/handler.handler`,
    role: sub(`\${${ID.notifierRole}.Arn}`),
    timeout,
    environment,
    package: { patterns: ['!**', `dist/${folder}/**`] },
  };
}
