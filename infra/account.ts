import { type Json, type Resource, sub } from './cloudformation.ts';
import { ID } from './names.ts';
import { type Form, KEY, listOf, ParameterError, problemsOf } from './network.ts';
import { allow, policy } from './policies.ts';
import type { template } from './template.ts';

type Template = ReturnType<typeof template>;

/** What the rules of an account ask of every stack, from the parameters of the deployment. What is empty is not asked for. */
interface Account {
  /** A topic that is there already, in place of one of the stack. */
  readonly alertTopicArn: string;
  /** The customer's key, for the topics and the functions' logs. */
  readonly keyArn: string;
  readonly permissionsBoundaryArn: string;
  readonly tags: Readonly<Record<string, string>>;
}

const FORMS = {
  alertTopicArn: [
    /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/,
    'the ARN of a standard SNS topic, like arn:aws:sns:eu-west-1:123456789012:alerts',
  ],
  keyArn: KEY,
  permissionsBoundaryArn: [/^arn:aws[a-z-]*:iam::(?:\d{12}|aws):policy\/[\w+=,.@/-]+$/, 'the ARN of an IAM policy'],
  tags: [/^(?!aws:)[\w .:/+@-]{1,128}=[\w .:/+@=-]{0,256}$/i, 'tags, like team=cache,cost-center=12'],
} as const satisfies Readonly<Record<string, Form>>;
type Parameter = keyof typeof FORMS;

export const ACCOUNT_PARAMETERS = Object.keys(FORMS) as readonly Parameter[];
export type AccountParameters = Readonly<Record<Parameter, string>>;

/** @throws {ParameterError} with everything that is wrong with them. */
export function readAccount(parameters: AccountParameters): Account {
  const problems = ACCOUNT_PARAMETERS.flatMap((name) => problemsOf(name, FORMS[name], listOf(parameters[name])));
  if (problems.length > 0) throw new ParameterError(problems.join('\n'));
  const [alertTopicArn, keyArn, permissionsBoundaryArn] = [
    parameters.alertTopicArn.trim(),
    parameters.keyArn.trim(),
    parameters.permissionsBoundaryArn.trim(),
  ];
  const tags = listOf(parameters.tags).map((tag) => /^([^=]+)=(.*)$/.exec(tag)?.slice(1) ?? []);
  return { alertTopicArn, keyArn, permissionsBoundaryArn, tags: Object.fromEntries(tags) };
}

/** The stack as the account wants it. `extensions` is osls' name for what is added to resources of its own. */
export function asAccountWants(
  { Resources, Outputs }: Template,
  account: Account,
  functions: readonly string[],
): Template & { readonly extensions?: Json } {
  const { keyArn } = account;
  const own = Object.entries(Resources).filter(([id]) => !(account.alertTopicArn && isTopic(id)));
  const changed = own.map(([id, resource]) => [id, withTopic(withRules(id, resource, account), account)]);
  const logs = functions.map((name) => [`${name}LogGroup`, { Properties: { KmsKeyId: keyArn } }]);
  return {
    Resources: Object.fromEntries(changed),
    Outputs: withTopic(Outputs, account),
    ...(keyArn && { extensions: Object.fromEntries(logs) }),
  };
}

function isTopic(id: string): boolean {
  return id === ID.topic || id === `${ID.topic}Policy`;
}

const JOB_ROLES: readonly string[] = [ID.maintainRole, ID.dispatchRole, ID.workRole];

function withRules(id: string, resource: Resource, { keyArn, permissionsBoundaryArn }: Account): Resource {
  if (resource.Type === 'AWS::SNS::Topic' && keyArn) {
    return { ...resource, Properties: { ...resource.Properties, KmsMasterKeyId: keyArn } };
  }
  if (resource.Type !== 'AWS::IAM::Role') return resource;
  const { Policies = [] } = resource.Properties;
  return {
    ...resource,
    Properties: {
      ...resource.Properties,
      ...(permissionsBoundaryArn && { PermissionsBoundary: permissionsBoundaryArn }),
      ...(JOB_ROLES.includes(id) &&
        keyArn && { Policies: [...(Array.isArray(Policies) ? Policies : []), topicKey(keyArn)] }),
    },
  };
}

/** For what the job publishes. CloudWatch and SNS themselves are for the policy of the key. */
function topicKey(keyArn: string) {
  const viaSns = { StringEquals: { 'kms:ViaService': sub(`sns.\${AWS::Region}.amazonaws.com`) } };
  const statements = [allow(['kms:Decrypt', 'kms:GenerateDataKey'], [keyArn], viaSns)];
  return { PolicyName: 'offpeak-topic-key', PolicyDocument: policy(statements) };
}

/** Every reference to the stack's own topic becomes the name of the other one. */
export function withTopic<T>(value: T, { alertTopicArn: arn }: Pick<Account, 'alertTopicArn'>): T {
  if (!arn) return value;
  const replace = (_key: string, one: unknown) => {
    const { Ref, 'Fn::GetAtt': attribute } = Object(one) as Readonly<Record<string, unknown>>;
    if (Ref === ID.topic) return arn;
    return Array.isArray(attribute) && attribute[0] === ID.topic ? arn.slice(arn.lastIndexOf(':') + 1) : one;
  };
  return JSON.parse(JSON.stringify(value, replace)) as T;
}
