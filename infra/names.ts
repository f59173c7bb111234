import { createHash } from 'node:crypto';
import type { InstanceConfig } from '../core/config/schema.ts';

/** Logical ids that more than one file of infra/ names. Changing one replaces the resource. */
export const ID = {
  topic: 'AlertTopic',
  alarmTopics: { warning: 'AlarmTopic', critical: 'CriticalAlarmTopic' },
  table: 'StateTable',
  dashboard: 'Dashboard',
  // osls derives these from the function's key in serverless.yml.
  maintain: 'MaintainLambdaFunction',
  dispatch: 'DispatchLambdaFunction',
  work: 'WorkLambdaFunction',
  notifier: 'NotifySlackLambdaFunction',
  maintainRole: 'MaintainRole',
  dispatchRole: 'DispatchRole',
  workRole: 'WorkRole',
  notifierRole: 'NotifySlackRole',
  maintainDeadLetters: 'MaintainDeadLetters',
  batchQueue: 'BatchQueue',
  batchDeadLetters: 'BatchDeadLetters',
  notifierQueue: 'NotifySlackQueue',
  notifierDeadLetters: 'NotifySlackDeadLetters',
  endpointGroup: 'EndpointSecurityGroup',
} as const;

/** Resources with names, one each in a stage; no name is the end of another. */
type NamedPart =
  | 'alerts'
  | 'alarms'
  | 'alarms-critical'
  | 'maintain'
  | 'maintain-dead-letters'
  | 'dispatch'
  | 'work'
  | 'batches'
  | 'batches-dead-letters'
  | 'notify-slack'
  | 'notify-slack-dead-letters';

/**
 * `offpeak-prod-maintain`: names of resources carry the stage, so that stages can share an account. Names of two stages are never equal, as
 * the parts are few and fixed. Only names of alarms contain the id of an instance: see `alarmName`.
 */
export function stackName(stage: string, part?: NamedPart): string {
  return part === undefined ? `offpeak-${stage}` : `offpeak-${stage}-${part}`;
}

/**
 * `offpeak-prod/carts/fragmentation-warning`. No stage, id or host holds a slash; with hyphens, `eu-carts` of the stage `prod` and `carts`
 * of `prod-eu` would be the same alarm, which each deployment would take from the other.
 */
export function alarmName(stage: string, subject: string, what: string): string {
  return `${stackName(stage)}/${subject}/${what}`;
}

/**
 * `carts-eu` becomes `CartsDasheu`. Logical ids take letters and digits only; ids of instances begin with a letter and have no
 * capitals, so that behind the first letter each `D` is a hyphen, and nothing else is. It can be read back: two ids never
 * meet, not even `a---b` and `a-dash-b`, and so no pair of them has to be refused.
 */
export function logicalPart(instanceId: string): string {
  return instanceId.charAt(0).toUpperCase() + instanceId.slice(1).replaceAll('-', 'Dash');
}

/**
 * Eight digits that stand for a text that logical ids cannot carry: a node's address, an e-mail. They depend on nothing
 * else, so that reordering and additions leave the other resources alone. 25 nodes meet with a chance of 1 in 10 million, and
 * packaging then refuses.
 */
export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

/** A node as alarms name it: only where an instance has several. */
export interface NamedNode {
  readonly instance: InstanceConfig;
  /** `host:port`. */
  readonly nodeId: string;
  readonly isOnly: boolean;
}

export function namedNodes(instances: readonly InstanceConfig[]): readonly NamedNode[] {
  return instances.flatMap((instance) =>
    instance.nodes.map(({ id }) => ({ instance, nodeId: id, isOnly: instance.nodes.length === 1 })),
  );
}

/** The node's part of a logical id: `Carts` or, of several nodes, `CartsX1f2e3d4c`; no instance's own part has that capital. */
export function nodeLogicalPart({ instance, nodeId, isOnly }: NamedNode): string {
  return isOnly ? logicalPart(instance.id) : `${logicalPart(instance.id)}X${digest(nodeId)}`;
}

// An alarm's name has at most 255 characters; the stage, the instance and what the alarm says take up to 110 of them.
const LONGEST_NODE = 140;

/** `carts` or, of several nodes, `carts/carts-1.redis.example:6379`, for people; a long host is cut and numbered. */
export function nodeTitle({ instance, nodeId, isOnly }: NamedNode): string {
  if (isOnly) return instance.id;
  const short = nodeId.length <= LONGEST_NODE ? nodeId : `${nodeId.slice(0, LONGEST_NODE - 9)}~${digest(nodeId)}`;
  return `${instance.id}/${short}`;
}
