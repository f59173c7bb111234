import { printSecretReference, type SecretReference } from '../core/config/address.ts';
import type { ConfigProblem } from '../core/config/problem.ts';
import type { Config } from '../core/config/schema.ts';
import { arn, byLogicalId, type Json, type Resource, type Resources, sub } from './cloudformation.ts';
import { allow, charactersOf, policy, type Statement } from './policies.ts';

/** IAM takes 6,144 characters in a managed policy, and ten of those at one role, unless an account's quota was raised. */
const MOST_CHARACTERS = 6_000;
const MOST_POLICIES = 10;

const SOURCES = [
  { source: 'ssm', action: 'ssm:GetParameter', title: 'Ssm' },
  { source: 'secretsmanager', action: 'secretsmanager:GetSecretValue', title: 'SecretsManager' },
] as const;

/** What reads these secrets, a statement for each service that keeps any. */
export function readSecrets(references: readonly SecretReference[]): readonly Statement[] {
  return grantsOf(references).map(({ action, resources }) => allow([action], resources));
}

/** What decrypts them, where they are encrypted with a key that is not AWS' own; nothing else may be decrypted with it. */
export function decryptSecrets(references: readonly SecretReference[], keyArn: string): readonly Statement[] {
  const services = grantsOf(references).map(({ source }) => sub(`${source}.\${AWS::Region}.amazonaws.com`));
  if (keyArn === '' || services.length === 0) return [];
  return [allow(['kms:Decrypt'], [keyArn], { StringEquals: { 'kms:ViaService': services } })];
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

/** The rights to read these secrets, by the services that keep any; several keys of one secret have one ARN. */
function grantsOf(references: readonly SecretReference[]) {
  return SOURCES.map((one) => ({
    ...one,
    resources: uniqueBy(references.filter(({ source }) => source === one.source).flatMap(secretArns), (arn) =>
      JSON.stringify(arn),
    ),
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

function uniqueBy<T>(all: readonly T[], keyOf: (one: T) => string): readonly T[] {
  return [...new Map(all.map((one) => [keyOf(one), one])).values()];
}

/** The secrets that the job reads, each once: passwords and authorities of the instances. */
export function jobSecrets({ instances }: Config): readonly SecretReference[] {
  const all = instances.flatMap(({ credentials, tls }) =>
    [credentials?.password, tls?.ca].filter((reference) => reference !== undefined),
  );
  return uniqueBy(all, printSecretReference);
}

/** The services from which the job reads secrets. */
export function secretSources(config: Config): readonly string[] {
  return [...new Set(jobSecrets(config).map(({ source }) => source))].filter((source) => source !== 'env').sort();
}

/**
 * The ARNs of a reference; they do not contain the key of a secret's JSON. Secrets Manager adds a hyphen and six characters to a name. Of an
 * ARN both forms are in use, with them and without, and a name may itself end in `-prod01`. The two forms look the same, so both are
 * granted. The unneeded one matches nothing, unless another secret has the same name with six more characters.
 */
function secretArns(reference: SecretReference): readonly Json[] {
  switch (reference.source) {
    case 'ssm':
      return [arn('ssm', `parameter${reference.name}`)];
    case 'secretsmanager': {
      const { id } = reference;
      return id.startsWith('arn:') ? [id, `${id}-??????`] : [arn('secretsmanager', `secret:${id}-??????`)];
    }
    case 'env':
      throw new Error(`env:${reference.name} is refused by the config's rules for deployment`);
  }
}
