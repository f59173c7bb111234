import type { AlarmProperties } from 'cloudform-types/types/cloudWatch/alarm.js';
import type { DashboardProperties } from 'cloudform-types/types/cloudWatch/dashboard.js';
import type { IntrinsicFunction } from 'cloudform-types/types/dataTypes.js';
import type { TableProperties } from 'cloudform-types/types/dynamoDb/table.js';
import type { SecurityGroupProperties } from 'cloudform-types/types/ec2/securityGroup.js';
import type { VPCEndpointProperties } from 'cloudform-types/types/ec2/vpcEndpoint.js';
import type { ManagedPolicyProperties } from 'cloudform-types/types/iam/managedPolicy.js';
import type { RoleProperties } from 'cloudform-types/types/iam/role.js';
import type { EventSourceMappingProperties } from 'cloudform-types/types/lambda/eventSourceMapping.js';
import type { ScheduleProperties } from 'cloudform-types/types/scheduler/schedule.js';
import type { SubscriptionProperties } from 'cloudform-types/types/sns/subscription.js';
import type { TopicProperties } from 'cloudform-types/types/sns/topic.js';
import type { TopicPolicyProperties } from 'cloudform-types/types/sns/topicPolicy.js';
import type { QueueProperties } from 'cloudform-types/types/sqs/queue.js';
import type { QueuePolicyProperties } from 'cloudform-types/types/sqs/queuePolicy.js';
import type { Intrinsic, Json } from './json.ts';

/** Every type of resource that the stack has, with its properties as AWS' resource specification says them. */
interface PropertiesByType {
  readonly 'AWS::CloudWatch::Alarm': AlarmProperties;
  readonly 'AWS::CloudWatch::Dashboard': DashboardProperties;
  readonly 'AWS::DynamoDB::Table': TableProperties;
  readonly 'AWS::EC2::SecurityGroup': SecurityGroupProperties;
  readonly 'AWS::EC2::VPCEndpoint': VPCEndpointProperties;
  readonly 'AWS::IAM::ManagedPolicy': ManagedPolicyProperties;
  readonly 'AWS::IAM::Role': RoleProperties;
  readonly 'AWS::Lambda::EventSourceMapping': EventSourceMappingProperties;
  readonly 'AWS::Scheduler::Schedule': ScheduleProperties;
  readonly 'AWS::SNS::Subscription': SubscriptionProperties;
  readonly 'AWS::SNS::Topic': TopicProperties;
  readonly 'AWS::SNS::TopicPolicy': TopicPolicyProperties;
  readonly 'AWS::SQS::Queue': QueueProperties;
  readonly 'AWS::SQS::QueuePolicy': QueuePolicyProperties;
}

export type ResourceType = keyof PropertiesByType;

/** A resource of one type. */
export interface ResourceOf<Type extends ResourceType> {
  readonly Type: Type;
  readonly Properties: Plain<PropertiesByType[Type]>;
  readonly DependsOn?: string;
  readonly DeletionPolicy?: 'Retain';
  readonly UpdateReplacePolicy?: 'Retain';
}

/** A resource of the template: its type says which properties it can and must have. */
export type Resource = { readonly [Type in ResourceType]: ResourceOf<Type> }[ResourceType];

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
