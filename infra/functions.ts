import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { printSecretReference } from '../core/config/address.ts';
import { ENVIRONMENT } from '../core/config/environment.ts';
import { usesQueue } from '../core/config/fleet.ts';
import type { Config } from '../core/config/schema.ts';
import { type Milliseconds, SECOND } from '../core/config/units.ts';
import { INVOCATION } from '../core/domain/timings.ts';
import { type Json, ref, sub } from './cloudformation.ts';
import { ID, stackName } from './names.ts';
import { isAttached, type Network } from './network.ts';

/** The functions of serverless.yml, by key; a folder of functions/ each. */
export const FUNCTIONS = {
  maintain: 'maintain',
  dispatch: 'dispatch',
  work: 'work',
  notifySlack: 'notify-slack',
} as const;

/** Functions that run the job, each with the configuration in its package. */
export type JobFunction = Exclude<keyof typeof FUNCTIONS, 'notifySlack'>;

/** One that does all, or one that hands out the nodes and one that checks them. */
export function jobFunctions(config: Pick<Config, 'instances' | 'fleet'>): readonly JobFunction[] {
  return usesQueue(config) ? ['dispatch', 'work'] : ['maintain'];
}

/** The one that the schedule invokes. */
export function scheduledFunction(config: Pick<Config, 'instances' | 'fleet'>): 'maintain' | 'dispatch' {
  return usesQueue(config) ? 'dispatch' : 'maintain';
}

/** Where packaging puts the configuration, relative to the function's root. */
export function packagedConfig(key: JobFunction): string {
  return `dist/${FUNCTIONS[key]}/config.json`;
}

/** Puts the configuration, checked, beside each function of the job that is bundled in `root`. */
export function writePackagedConfig(root: string, config: Config): void {
  for (const key of jobFunctions(config)) writeFileSync(join(root, packagedConfig(key)), `${JSON.stringify(config)}\n`);
}

/** `offpeak-prod-maintain`. */
export function functionName(stage: string, key: keyof typeof FUNCTIONS): string {
  return stackName(stage, FUNCTIONS[key]);
}

/** Seconds. A digest of 1,000 nodes takes some ten; the rest is for a Slack that asks to wait. */
export const NOTIFIER_TIMEOUT = 60;

/** A run lasts at most until the next one is due: it follows its defrag until then, and the next run continues. A dispatch follows none. */
export function jobTimeout({ schedule: { every } }: Pick<Config, 'schedule'>, key: JobFunction): Milliseconds {
  const longest = key === 'dispatch' ? INVOCATION.shortest : INVOCATION.longest;
  return Math.min(Math.max(every, INVOCATION.shortest), longest);
}

/** A tick that comes too early waits for the running one and is not lost: hence the age. */
export function jobSettings(config: Config, network: Network, key: JobFunction) {
  const timeout = jobTimeout(config, key);
  return {
    timeout: timeout / SECOND,
    maximumEventAge: (timeout + config.schedule.every) / SECOND,
    environment: {
      [ENVIRONMENT.stage]: config.stage,
      [ENVIRONMENT.configFile]: packagedConfig(key),
      [ENVIRONMENT.stateTable]: ref(ID.table),
      [ENVIRONMENT.alertTopicArn]: ref(ID.topic),
      ...(key === 'dispatch' && { [ENVIRONMENT.batchQueueUrl]: ref(ID.batchQueue) }),
      ...runbookOf(config),
    },
    // As `~` in serverless.yml: outside of a VPC.
    vpc: isAttached(network) ? { securityGroupIds: network.securityGroupIds, subnetIds: network.subnetIds } : null,
  };
}

/** Outside of any VPC: it talks to Slack, and to no Redis. Undefined where the config names no webhook. */
export function notifierSettings(config: Config) {
  const { slack } = config.notifications;
  if (slack === undefined) return undefined;
  return {
    timeout: NOTIFIER_TIMEOUT,
    environment: {
      [ENVIRONMENT.stage]: config.stage,
      [ENVIRONMENT.slackWebhook]: printSecretReference(slack.webhook),
      [ENVIRONMENT.slackFrom]: slack.from,
      [ENVIRONMENT.dashboardUrl]: dashboardUrl(config.stage),
      ...runbookOf(config),
    },
  };
}

function runbookOf({ runbook }: Config): Readonly<Record<string, string>> {
  return runbook === undefined ? {} : { [ENVIRONMENT.runbookUrl]: runbook };
}

/** The address of the stage's dashboard. */
export function dashboardUrl(stage: string): Json {
  const home = `https://\${AWS::Region}.console.aws.amazon.com/cloudwatch/home`;
  return sub(`${home}?region=\${AWS::Region}#dashboards/dashboard/${stackName(stage)}`);
}
