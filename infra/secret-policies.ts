import type { SecretReference } from '../core/config/address.ts';
import type { ConfigProblem } from '../core/config/problem.ts';
import type { Config } from '../core/config/schema.ts';
import { byLogicalId, type Resources, sub } from './cloudformation.ts';
import type { Json } from './json.ts';
import type { Network } from './network.ts';
import { allow, charactersOf, policy, type Statement } from './policies.ts';
import type { Resource } from './resource-types.ts';
import { jobSecrets, secretArns } from './secrets.ts';

/** IAM takes 6,144 characters in a managed policy, and ten of those at one role, unless an account's quota was raised. */
const MOST_CHARACTERS = 6_000;
const MOST_POLICIES = 10;

const SOURCES = [
  { source: 'ssm', action: 'ssm:GetParameter', title: 'Ssm' },
  { source: 'secretsmanager', action: 'secretsmanager:GetSecretValue', title: 'SecretsManager' },
] as const;

interface Grant {
  readonly source: (typeof SOURCES)[number]['source'];
  readonly action: string;
  readonly title: string;
  readonly resources: readonly Json[];
}

/** What reads these secrets, a statement for each service that keeps any. */
export function readSecrets(references: readonly SecretReference[]): readonly Statement[] {
  return grantsOf(references).map(({ action, resources }) => allow([action], resources));
}

/** What decrypts them, where they are encrypted with a key that is not AWS' own; nothing else may be decrypted with it. */
export function decryptSecrets(
  references: readonly SecretReference[],
  { secretsKeyArn }: Network,
): readonly Statement[] {
  const services = grantsOf(references).map(({ source }) => sub(`${source}.\${AWS::Region}.amazonaws.com`));
  if (secretsKeyArn === '' || services.length === 0) return [];
  return [allow(['kms:Decrypt'], [secretsKeyArn], { StringEquals: { 'kms:ViaService': services } })];
}

/**
 * The same rights as separate policies, for more secrets than a role's inline policy can name. The role attaches them, and not the policies
 * themselves: the function waits for its role, and starts with all of them.
 */
export function secretPolicies(prefix: string, references: readonly SecretReference[]): Resources {
  const policies = grantsOf(references).flatMap(({ action, title, resources }) =>
    chunksOf(action, resources).map((chunk, index): [string, Resource] => [
      `${prefix}${title}${index + 1}`,
      { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument: policy([allow([action], chunk)]) } },
    ]),
  );
  return byLogicalId(policies);
}

/** A problem, if no role can be allowed to read all of these secrets: AWS would refuse in the middle of a deployment. */
export function secretProblems(config: Config): readonly ConfigProblem[] {
  const references = jobSecrets(config);
  const policies = Object.keys(secretPolicies('', references)).length;
  if (policies <= MOST_POLICIES) return [];
  const secrets = new Set(references.map((one) => (one.source === 'secretsmanager' ? one.id : one.name))).size;
  return [
    {
      path: 'instances',
      value: '',
      message: `${secrets} secrets are named: the right to read them takes ${policies} IAM policies, and a role has ${MOST_POLICIES} at most`,
      accepted:
        'fewer: passwords as keys of one secret of Secrets Manager (secretsmanager:redis#carts), or a stage for each team',
    },
  ];
}

function grantsOf(references: readonly SecretReference[]): readonly Grant[] {
  return SOURCES.map((one) => ({
    ...one,
    resources: unique(references.filter(({ source }) => source === one.source).flatMap(secretArns)),
  })).filter(({ resources }) => resources.length > 0);
}

/** In the order in which they come, each as full as a policy may be. */
function chunksOf(action: string, resources: readonly Json[]): readonly (readonly Json[])[] {
  const chunks: Json[][] = [];
  for (const resource of resources) {
    const last = chunks.at(-1);
    if (last !== undefined && charactersOf([allow([action], [...last, resource])]) <= MOST_CHARACTERS) {
      last.push(resource);
    } else {
      chunks.push([resource]);
    }
  }
  return chunks;
}

/** Several keys of one secret have one ARN. */
function unique(resources: readonly Json[]): readonly Json[] {
  return [...new Map(resources.map((resource) => [JSON.stringify(resource), resource])).values()];
}
