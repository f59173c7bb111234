import { type NodeAddress, printSecretReference, type SecretReference, TLS_SECRETS } from '../../config/address.ts';
import type { IamSignIn, ManagedGroup } from '../../config/iam.ts';
import type { InstanceConfig } from '../../config/schema.ts';
import { present } from '../../domain/present.ts';
import { lookup } from '../../format/lookup.ts';
import { NodeFailure } from '../../ports/node-session.ts';
import { SecretUnavailable } from '../aws/secret-failure.ts';
import type { SecretReader } from '../aws/secrets.ts';
import type { Target } from './connection.ts';
import { keysOf } from './hints.ts';
import { usableMaterial } from './tls-material.ts';

/** How to sign in to a node, and over which TLS. */
export type Access = Pick<InstanceConfig, 'credentials' | 'tls' | 'found'>;

export interface Reader extends Pick<Target, 'isAddressed'> {
  readonly secrets: SecretReader;
}

/**
 * Where to connect, with the secrets that the references name.
 *
 * @throws {NodeFailure} of the kind `config-problem`: which key of the config, or option of the command line, leads to what is wrong
 */
export async function targetOf(
  { credentials, tls, found }: Access,
  node: NodeAddress,
  { secrets, ...addressed }: Reader,
): Promise<Target> {
  const read = async (key: string, reference: SecretReference | undefined) =>
    reference && (await orConfigProblem(secrets.read(reference), `${key}: `));
  const keys = keysOf(addressed);
  const [password, ca, cert, key, passphrase] = await Promise.all([
    read('credentials.password', credentials?.password),
    ...TLS_SECRETS.map((name) => read(lookup(keys, name) ?? `tls.${name}`, tls?.[name])),
  ]);
  return {
    host: node.host,
    port: node.port,
    tls: node.tls,
    ...addressed,
    ...usableMaterial(present({ ca, cert, key, passphrase }), tls, addressed),
    ...(tls?.serverName !== undefined && { serverName: tls.serverName }),
    ...(credentials?.username !== undefined && { username: credentials.username }),
    ...(password !== undefined && { password }),
    ...(credentials?.password && { passwordFrom: printSecretReference(credentials.password) }),
    ...(credentials?.iam !== undefined && { iam: groupOf(credentials.iam, found?.managed) }),
  };
}

/** The config wins over discovery: a group may have been restored under another id. */
function groupOf({ service, group }: IamSignIn, managed: ManagedGroup | undefined): ManagedGroup {
  if (group !== undefined) return { service, group };
  if (managed?.service === service) return managed;
  const what = `credentials.iam names no group of ${service}, and discovery has found these nodes in none`;
  throw new NodeFailure('config-problem', `${what}. Write iam: { ${service}: <its id> }`);
}

/** Without its secret a node cannot be reached, which says nothing about its server. `what` begins the message. */
export async function orConfigProblem<T>(secret: Promise<T>, what = ''): Promise<T> {
  try {
    return await secret;
  } catch (error) {
    throw error instanceof SecretUnavailable ? new NodeFailure('config-problem', `${what}${error.message}`) : error;
  }
}
