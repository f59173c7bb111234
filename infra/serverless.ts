import { sub } from './cloudformation.ts';
import { FUNCTIONS, functionName, maintainSettings, notifierSettings } from './functions.ts';
import { loadConfig } from './load.ts';
import { ID } from './names.ts';
import { type Parameters, readNetwork } from './network.ts';
import { template } from './template.ts';

/**
 * The stack of a stage, and what else serverless.yml takes from here, by the names under which it does.
 * @throws {UnknownStage} {ConfigError} {ParameterError} with everything that is wrong.
 */
export function serverlessValues(root: string, stage: string, parameters: Parameters) {
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
    // The Slack function by its key, or nothing.
    notifier: notifySlack ? { notifySlack } : {},
  };
}
