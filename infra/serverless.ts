import { usesQueue } from '../core/config/fleet.ts';
import { type AccountParameters, asAccountWants, readAccount, withTopic } from './account.ts';
import { sub } from './cloudformation.ts';
import { FUNCTIONS, functionName, jobFunctions, jobSettings, notifierSettings } from './functions.ts';
import { loadConfig } from './load.ts';
import { ID } from './names.ts';
import { type Parameters, readNetwork } from './network.ts';
import { outOfReach } from './reach.ts';
import { withRunbook } from './runbook.ts';
import { template } from './template.ts';

/**
 * The stack of a stage, and what else serverless.yml takes from here, by the names under which it does.
 * @throws {UnknownStage} {ConfigError} {ParameterError} with everything that is wrong.
 */
export function serverlessValues(root: string, stage: string, parameters: Parameters & AccountParameters) {
  const config = withRunbook(loadConfig(root, stage), root);
  const network = readNetwork(parameters);
  const account = readAccount(parameters);
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
    resources: asAccountWants(template(config, network), account, [
      ...jobFunctions(config).map((key) => key.charAt(0).toUpperCase() + key.slice(1)),
      ...(notifySlack ? ['NotifySlack'] : []),
    ]),
    stackTags: { project: 'offpeak', stage, ...account.tags },
    // Which of the two halves of `custom` is deployed.
    job: usesQueue(config) ? 'manyWorkers' : 'oneFunction',
    ...withTopic(
      {
        maintain: jobSettings(config, network, 'maintain'),
        dispatch: jobSettings(config, network, 'dispatch'),
        work: jobSettings(config, network, 'work'),
      },
      account,
    ),
    logRetention: config.logRetention,
    // The Slack function by its key, or nothing.
    notifier: notifySlack ? { notifySlack } : {},
  };
}

/** What is packaged all the same, and would not work. Packaging on one machine for a network that another sets up is allowed. */
export function warnings(root: string, stage: string, parameters: Parameters): readonly string[] {
  return outOfReach(loadConfig(root, stage), readNetwork(parameters));
}
