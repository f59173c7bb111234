import { printSecretReference, type SecretReference } from '../core/config/address.ts';
import type { Config } from '../core/config/schema.ts';
import { arn } from './cloudformation.ts';
import type { Json } from './json.ts';

/** The secrets that the job reads, each once: passwords and authorities of the instances. */
export function jobSecrets({ instances }: Config): readonly SecretReference[] {
  const all = instances.flatMap(({ credentials, tls }) =>
    [credentials?.password, tls?.ca].filter((reference) => reference !== undefined),
  );
  return [...new Map(all.map((reference) => [printSecretReference(reference), reference])).values()];
}

/** The services from which the job reads secrets. */
export function secretSources(config: Config): readonly string[] {
  return [...new Set(jobSecrets(config).map(({ source }) => source))].filter((source) => source !== 'env').sort();
}

/** The ARNs of a reference; they do not contain the key of a secret's JSON. */
export function secretArns(reference: SecretReference): readonly Json[] {
  switch (reference.source) {
    case 'ssm':
      return [arn('ssm', `parameter${reference.name}`)];
    case 'secretsmanager':
      return ofSecretsManager(reference.id);
    case 'env':
      throw new Error(`env:${reference.name} is refused by the config's rules for deployment`);
  }
}

/**
 * Secrets Manager adds a hyphen and six characters to a name. Of an ARN both forms are in use, with them and without, and a
 * name may itself end in `-prod01`. The two forms look the same, so both are granted. The unneeded one matches nothing, unless
 * another secret has the same name with six more characters.
 */
function ofSecretsManager(id: string): readonly Json[] {
  return id.startsWith('arn:') ? [id, `${id}-??????`] : [arn('secretsmanager', `secret:${id}-??????`)];
}
