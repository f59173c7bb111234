import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SSMClient } from '@aws-sdk/client-ssm';
import pLimit from 'p-limit';
import { printSecretReference, type SecretReference } from '../../config/address.ts';
import { MINUTE, type Milliseconds } from '../../config/units.ts';
import { unusable } from './secret-failure.ts';
import type { openSecrets } from './secrets-manager.ts';
import type { openParameters } from './ssm.ts';

/** Reads secrets from the places that the configuration names. Callers use a secret at once and keep no copy. */
export interface SecretReader {
  /**
   * The secret, never empty.
   *
   * @throws SecretUnavailable naming the reference and what is wrong, never the secret
   */
  read(reference: SecretReference): Promise<string>;
  /**
   * The next `read` asks again, because the secret was refused where it was used.
   *
   * @param readBefore epoch milliseconds: what was read since then is kept, because there is nothing newer. It limits the
   *   calls when a hundred nodes refuse one secret at once. Default: forget it in any case.
   */
  forget(reference: SecretReference, readBefore?: number): void;
}

interface SecretReaderOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Called once, at the first `ssm:` reference. Default: from the process' environment. */
  readonly ssm?: () => SSMClient;
  /** Called once, at the first `secretsmanager:` reference. Default: from the process' environment. */
  readonly secretsManager?: () => SecretsManagerClient;
  /** For how long a secret is kept; default: 15 minutes. Secrets of `env:` are not kept: the environment has them. */
  readonly ttl?: Milliseconds;
  /** Epoch milliseconds; default: the system's clock. */
  readonly now?: () => number;
}

/** For each service, so that one that hangs does not delay the other. Fewer than a client has sockets; SSM allows 40 reads a second. */
const READS_AT_ONCE = 32;

const limit = () => pLimit(READS_AT_ONCE);

interface Kept {
  readonly askedAt: number;
  readonly secret: Promise<string>;
}

/** One for each container: its secrets are read once, and again after `ttl` or when they were refused. */
export function createSecretReader(options: SecretReaderOptions): SecretReader {
  const { ttl = 15 * MINUTE, now = Date.now } = options;
  const fetchSecret = sourcesOf(options);
  const kept = new Map<string, Kept>();
  const turns = { env: limit(), file: limit(), ssm: limit(), secretsmanager: limit() };

  function keep(reference: SecretReference, place: string): Promise<string> {
    const entry: Kept = { askedAt: now(), secret: turns[reference.source](() => fetchSecret(reference)) };
    kept.set(place, entry);
    // A failure is not kept, but a newer entry in its place is.
    entry.secret.catch(() => kept.get(place) === entry && kept.delete(place));
    return entry.secret;
  }

  // Below zero, the clock was set back: until it has caught up, the secret would be used beyond its rotation.
  const isFresh = (age: Milliseconds) => age >= 0 && age < ttl;

  return {
    async read(reference) {
      if (reference.source === 'env') return await fetchSecret(reference);
      const place = printSecretReference(reference);
      const entry = kept.get(place);
      return await (entry !== undefined && isFresh(now() - entry.askedAt) ? entry.secret : keep(reference, place));
    },
    forget(reference, readBefore = Number.POSITIVE_INFINITY) {
      const place = printSecretReference(reference);
      if ((kept.get(place)?.askedAt ?? 0) < readBefore) kept.delete(place);
    },
  };
}

function readVariable(env: SecretReaderOptions['env'], name: string): string {
  const value = env[name];
  if (value) return value;
  throw unusable(`the environment variable ${name}`, 'is not set');
}

/** Reads a secret where it is. Each client of the SDK loads with the first reference of its kind: many stacks have none. */
function sourcesOf({ env, ssm, secretsManager }: SecretReaderOptions): (reference: SecretReference) => Promise<string> {
  let parameters: Promise<ReturnType<typeof openParameters>> | undefined;
  let secrets: Promise<ReturnType<typeof openSecrets>> | undefined;
  return async (reference) => {
    switch (reference.source) {
      case 'env':
        return readVariable(env, reference.name);
      case 'file':
        return await (await import('../secret-file.ts')).readSecretFile(reference.path);
      case 'ssm':
        parameters ??= import('./ssm.ts').then((module) => module.openParameters(ssm));
        return (await parameters)(reference.name);
      case 'secretsmanager':
        secrets ??= import('./secrets-manager.ts').then((module) => module.openSecrets(secretsManager));
        return (await secrets)(reference.id, reference.key);
    }
  };
}
