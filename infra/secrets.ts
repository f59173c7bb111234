import { printSecretReference, type SecretReference } from '../functions/shared/config/address.ts';
import type { Config } from '../functions/shared/config/schema.ts';
import { arn, type Json } from './cloudformation.ts';

/** The secrets that the job reads, each once: passwords and authorities of the instances. */
export function jobSecrets({ instances }: Config): readonly SecretReference[] {
  const all = instances.flatMap(({ credentials, tls }) =>
    [credentials?.password, tls?.ca].filter((reference) => reference !== undefined),
  );
  return [...new Map(all.map((reference) => [printSecretReference(reference), reference])).values()];
}

/** Services from which the job reads secrets. */
export function secretSources(config: Config): readonly string[] {
  return [...new Set(jobSecrets(config).map(({ source }) => source))].filter((source) => source !== 'env').sort();
}

/** The ARN of what a reference names; the key of a secret's JSON is no part of it. */
export function secretArn(reference: SecretReference): Json {
  switch (reference.source) {
    case 'ssm':
      return arn('ssm', `parameter${reference.name}`);
    case 'secretsmanager':
      // Secrets Manager adds a hyphen and six characters to the name; of an ARN both forms are in use.
      if (reference.id.startsWith('arn:'))
        return /-[A-Za-z0-9]{6}$/.test(reference.id) ? reference.id : `${reference.id}-??????`;
      return arn('secretsmanager', `secret:${reference.id}-??????`);
    case 'env':
      throw new Error(`env:${reference.name} is refused by the config's rules for deployment`);
  }
}
