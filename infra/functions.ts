import { printSecretReference } from '../core/config/address.ts';
import { ENVIRONMENT } from '../core/config/environment.ts';
import type { Config } from '../core/config/schema.ts';
import { SECOND } from '../core/config/units.ts';
import { INVOCATION } from '../core/domain/timings.ts';
import { type Json, ref, sub } from './cloudformation.ts';
import { ID, stackName } from './names.ts';
import { isAttached, type Network } from './network.ts';

/** The functions of serverless.yml, by key; a folder of functions/ each. */
export const FUNCTIONS = { maintain: 'maintain', notifySlack: 'notify-slack' } as const;

/** Where packaging puts the configuration, relative to the function's root. */
export const PACKAGED_CONFIG = `dist/${FUNCTIONS.maintain}/config.json`;

/** `offpeak-prod-maintain`. */
export function functionName(stage: string, key: keyof typeof FUNCTIONS): string {
  return stackName(stage, FUNCTIONS[key]);
}

/** Seconds. A digest of 1,000 nodes takes some ten; the rest is for a Slack that asks to wait. */
export const NOTIFIER_TIMEOUT = 60;

/**
 * A run lasts at most until the next one is due: it follows its defrag until then, and the next run continues. A tick that comes too early
 * waits for the running one and is not lost: hence the age.
 */
export function maintainSettings(config: Config, network: Network) {
  const { every } = config.schedule;
  const timeout = Math.min(Math.max(every, INVOCATION.shortest), INVOCATION.longest);
  return {
    timeout: timeout / SECOND,
    maximumEventAge: (timeout + every) / SECOND,
    environment: {
      [ENVIRONMENT.stage]: config.stage,
      [ENVIRONMENT.configFile]: PACKAGED_CONFIG,
      [ENVIRONMENT.stateTable]: ref(ID.table),
      [ENVIRONMENT.alertTopicArn]: ref(ID.topic),
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
