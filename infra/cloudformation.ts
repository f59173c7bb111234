import type { CloudWatch } from 'cloudform-types/types/cloudWatch/index.namespace.js';
import type { IntrinsicFunction } from 'cloudform-types/types/dataTypes.js';
import type { DynamoDB } from 'cloudform-types/types/dynamoDb/index.namespace.js';
import type { EC2 } from 'cloudform-types/types/ec2/index.namespace.js';
import type { IAM } from 'cloudform-types/types/iam/index.namespace.js';
import type { Lambda } from 'cloudform-types/types/lambda/index.namespace.js';
import type { Scheduler } from 'cloudform-types/types/scheduler/index.namespace.js';
import type { SNS } from 'cloudform-types/types/sns/index.namespace.js';
import type { SQS } from 'cloudform-types/types/sqs/index.namespace.js';

/** What CloudFormation's JSON is made of. */
export type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json };

/** What CloudFormation replaces by a value when the stack is deployed. */
export type Intrinsic =
  | { readonly Ref: string }
  | { readonly 'Fn::GetAtt': readonly [logicalId: string, attribute: string] }
  | { readonly 'Fn::Sub': string };

/** Every type of resource that the stack has, with its properties as AWS' resource specification says them. */
interface ResourceClasses {
  readonly 'AWS::CloudWatch::Alarm': CloudWatch.Alarm;
  readonly 'AWS::CloudWatch::Dashboard': CloudWatch.Dashboard;
  readonly 'AWS::DynamoDB::Table': DynamoDB.Table;
  readonly 'AWS::EC2::SecurityGroup': EC2.SecurityGroup;
  readonly 'AWS::EC2::VPCEndpoint': EC2.VPCEndpoint;
  readonly 'AWS::IAM::ManagedPolicy': IAM.ManagedPolicy;
  readonly 'AWS::IAM::Role': IAM.Role;
  readonly 'AWS::Lambda::EventSourceMapping': Lambda.EventSourceMapping;
  readonly 'AWS::Scheduler::Schedule': Scheduler.Schedule;
  readonly 'AWS::SNS::Subscription': SNS.Subscription;
  readonly 'AWS::SNS::Topic': SNS.Topic;
  readonly 'AWS::SNS::TopicPolicy': SNS.TopicPolicy;
  readonly 'AWS::SQS::Queue': SQS.Queue;
  readonly 'AWS::SQS::QueuePolicy': SQS.QueuePolicy;
}

export type ResourceType = keyof ResourceClasses;

/** A resource of one type. */
export interface ResourceOf<Type extends ResourceType> {
  readonly Type: Type;
  readonly Properties: Plain<ResourceClasses[Type]['Properties']>;
  readonly DeletionPolicy?: 'Retain';
  readonly UpdateReplacePolicy?: 'Retain';
}

/**
 * An alarm on a PromQL query, which has none of the properties that the package demands of an alarm. As in the resource specification of
 * AWS::CloudWatch::Alarm since 2026.
 */
export interface PromqlAlarm {
  readonly Type: 'AWS::CloudWatch::Alarm';
  /** Of linters only. */
  readonly Metadata?: Json;
  readonly Properties: Pick<
    ResourceOf<'AWS::CloudWatch::Alarm'>['Properties'],
    'AlarmName' | 'AlarmDescription' | 'AlarmActions' | 'OKActions'
  > & {
    readonly EvaluationCriteria: {
      readonly PromQLCriteria: {
        /** At most 10,000 characters; each series that it returns is a contributor. */
        readonly Query: string;
        /** Seconds, at most 86,400. */
        readonly PendingPeriod: number;
        readonly RecoveryPeriod: number;
      };
    };
    /** Seconds, 10 to 3,600. */
    readonly EvaluationInterval: number;
  };
}

/** A resource of the template: its type says which properties it can and must have. */
export type Resource = { readonly [Type in ResourceType]: ResourceOf<Type> }[ResourceType] | PromqlAlarm;

/** The package has classes for `{ Ref: … }` and the like, and lists that code can change. The template is plain JSON. */
type Plain<T> =
  IsAny<T> extends true
    ? Json
    : T extends IntrinsicFunction
      ? Intrinsic
      : T extends readonly (infer Item)[]
        ? readonly Plain<Item>[]
        : T extends object
          ? { readonly [Key in keyof T]: Plain<T[Key]> }
          : T;

/** `any`, which the package has for policies, is the only type that 0 & it extends 1. */
type IsAny<T> = 1 extends 0 & T ? true : false;

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

/** An ARN of this account, and of this region unless another one is named: `arn('logs', 'log-group:/aws/lambda/x:*')`. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation fills it in.
export function arn(service: string, resource: string, region = '${AWS::Region}'): Intrinsic {
  return sub(`arn:\${AWS::Partition}:${service}:${region}:\${AWS::AccountId}:${resource}`);
}
