import type { Intrinsic, Json } from './json.ts';
import type { Resource } from './resource-types.ts';

/** By logical id. */
export type Resources = Readonly<Record<string, Resource>>;

/** @throws Error where two resources have the same logical id: `Object.fromEntries` would drop an alarm without a message. */
export function byLogicalId(entries: readonly (readonly [logicalId: string, resource: Resource])[]): Resources {
  const all = new Map<string, Resource>();
  for (const [logicalId, resource] of entries) {
    if (all.has(logicalId)) {
      throw new Error(
        `two resources have the logical id ${logicalId}: rename one of the instances, nodes or addresses`,
      );
    }
    all.set(logicalId, resource);
  }
  return Object.fromEntries(all);
}

export interface Output {
  readonly Description: string;
  readonly Value: Json;
}

/** What `resources` of serverless.yml takes; the functions and their log groups are osls' part. */
export interface Template {
  readonly Resources: Resources;
  readonly Outputs: Readonly<Record<string, Output>>;
}

export function ref(logicalId: string): Intrinsic {
  return { Ref: logicalId };
}

export function getAtt(logicalId: string, attribute: string): Intrinsic {
  return { 'Fn::GetAtt': [logicalId, attribute] };
}

/** `${AWS::Region}` and the like are replaced when the stack is deployed. */
export function sub(text: string): Intrinsic {
  return { 'Fn::Sub': text };
}

/** An ARN of this account and region: `arn('logs', 'log-group:/aws/lambda/x:*')`. */
export function arn(service: string, resource: string): Intrinsic {
  return sub(`arn:\${AWS::Partition}:${service}:\${AWS::Region}:\${AWS::AccountId}:${resource}`);
}
