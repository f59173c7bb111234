import { isFleet, usesQueue } from '../core/config/fleet.ts';
import type { Config } from '../core/config/schema.ts';
import { batches } from './batches.ts';
import { byLogicalId, getAtt, type Resources, ref } from './cloudformation.ts';
import { dashboard } from './dashboard.ts';
import { fleetAlarms } from './fleet-alarms.ts';
import { dashboardUrl } from './functions.ts';
import { jobAlarms } from './job-alarms.ts';
import { ID, stackName } from './names.ts';
import { endpoints, type Network } from './network.ts';
import { nodeAlarms } from './node-alarms.ts';
import { notifier, queue } from './notifier.ts';
import { promqlAlarms } from './promql-alarms.ts';
import { queueAlarms } from './queue-alarms.ts';
import { jobRoles } from './roles.ts';
import { schedule } from './schedule.ts';
import { topic } from './topic.ts';

/** Everything of the stack, for `resources` of serverless.yml, but the functions, their logs and the bucket, which are osls' part. */
export function template(written: Config, network: Network) {
  const config = inOrder(written);
  return {
    Resources: together([
      topic(config),
      stateTable(),
      { [ID.maintainDeadLetters]: queue(stackName(config.stage, 'maintain-dead-letters')) },
      jobRoles(config, network),
      batches(config),
      schedule(config),
      ...alarmsOfNodes(config),
      jobAlarms(config),
      queueAlarms(config),
      { [ID.dashboard]: dashboard(config) },
      notifier(config, network),
      endpoints(config, network),
    ]),
    Outputs: outputs(config),
  };
}

/** What watches nodes; in a fleet with a net of counts below. */
function alarmsOfNodes(config: Config): readonly Resources[] {
  const isLarge = isFleet(config);
  if (config.metrics.send === 'otlp') return [promqlAlarms(config), ...(isLarge ? [fleetAlarms(config)] : [])];
  return [isLarge ? fleetAlarms(config) : nodeAlarms(config)];
}

/** Another order of instances and nodes in the file changes nothing, neither on the dashboard nor in a policy. */
function inOrder(config: Config): Config {
  const byId = <T extends { readonly id: string }>(all: readonly T[]) => all.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return { ...config, instances: byId(config.instances).map((one) => ({ ...one, nodes: byId(one.nodes) })) };
}

function together(parts: readonly Resources[]): Resources {
  const entries = parts.flatMap((part) => Object.entries(part));
  return byLogicalId(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function roleOutputs(config: Config) {
  const of = (Description: string, id: string) => ({ Description, Value: getAtt(id, 'Arn') });
  if (!usesQueue(config)) return { MaintainRoleArn: of('What the job runs as', ID.maintainRole) };
  return {
    DispatchRoleArn: of('What the dispatch runs as', ID.dispatchRole),
    WorkRoleArn: of('What the workers run as', ID.workRole),
  };
}

function outputs(config: Config) {
  const { stage } = config;
  return {
    AlertTopicArn: { Description: 'Topic of alerts and alarms; subscribe to it to receive them', Value: ref(ID.topic) },
    StateTableName: {
      Description: 'State table (leases, node histories); retained when the stack is deleted',
      Value: ref(ID.table),
    },
    ...roleOutputs(config),
    DashboardUrl: { Description: 'The dashboard', Value: dashboardUrl(stage) },
  };
}

/**
 * Leases and node histories. The table stays when the stack is deleted, because the leases say which settings to restore. It has no fixed name,
 * which would still be in use when the stack is created again.
 */
function stateTable(): Resources {
  return {
    [ID.table]: {
      Type: 'AWS::DynamoDB::Table',
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [
          { AttributeName: 'pk', AttributeType: 'S' },
          { AttributeName: 'sk', AttributeType: 'S' },
        ],
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
        TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
        // Neither a mistake in the console nor a script deletes the leases: this must be switched off first.
        DeletionProtectionEnabled: true,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      },
    },
  };
}
