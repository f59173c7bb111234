import { printSecretReference, type SecretReference, TLS_SECRETS } from '../core/config/address.ts';
import type { Config } from '../core/config/schema.ts';
import { arn, type Json, sub } from './cloudformation.ts';
import { allow, type Grant, type Statement, uniqueBy } from './policies.ts';

const SOURCES = [
  { source: 'ssm', action: 'ssm:GetParameter', title: 'SecretsSsm' },
  { source: 'secretsmanager', action: 'secretsmanager:GetSecretValue', title: 'SecretsSecretsManager' },
] as const;

/** What decrypts them, where they are encrypted with a key that is not AWS' own; nothing else may be decrypted with it. */
export function decryptSecrets(references: readonly SecretReference[], keyArn: string): readonly Statement[] {
  const services = secretGrants(references).map(({ source }) => sub(`${source}.\${AWS::Region}.amazonaws.com`));
  if (keyArn === '' || services.length === 0) return [];
  return [allow(['kms:Decrypt'], [keyArn], { StringEquals: { 'kms:ViaService': services } })];
}

/** The rights to read these secrets, by the services that keep any; several keys of one secret have one ARN. */
export function secretGrants(
  references: readonly SecretReference[],
): readonly (Grant & { readonly source: SecretReference['source'] })[] {
  return SOURCES.map((one) => ({
    ...one,
    resources: uniqueBy(references.filter(({ source }) => source === one.source).flatMap(secretArns), (arn) =>
      JSON.stringify(arn),
    ),
  })).filter(({ resources }) => resources.length > 0);
}

/** The secrets that the job reads, each once: passwords, authorities and client certificates of the instances, passwords of sentinels. */
export function jobSecrets({ instances }: Config): readonly SecretReference[] {
  const all = instances.flatMap(({ credentials, tls, discover }) =>
    [credentials?.password, discover?.sentinel?.credentials?.password, ...TLS_SECRETS.map((key) => tls?.[key])].filter(
      (reference) => reference !== undefined,
    ),
  );
  return uniqueBy(all, printSecretReference);
}

/** The services from which the job reads secrets. */
export function secretSources(config: Config): readonly string[] {
  return [...new Set(jobSecrets(config).map(({ source }) => source))]
    .filter((source) => source !== 'env' && source !== 'file')
    .sort();
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
    case 'file':
      throw new Error(`${printSecretReference(reference)} is refused by the config's rules for deployment`);
  }
}
