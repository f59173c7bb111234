import { buildQueryString, HttpRequest } from '@smithy/core/protocols';
import type { SignatureV4 } from '@smithy/signature-v4';
import type { ManagedGroup } from '../../config/iam.ts';
import { describeFailure } from './failure.ts';
import { SecretUnavailable } from './secret-failure.ts';
import { createSigner } from './signer.ts';

/** AWS accepts no longer one, in seconds. A connection that is open stays so for 12 hours, far longer than a tick. */
const LIFETIME = 900;

/** The token with which a user signs in to one group, in place of a password. `user`: its id, in lower case. */
export type TokenSigner = (user: string, group: ManagedGroup) => Promise<string>;

/**
 * Signs tokens with the AWS credentials of this process: for each connection a new one, which takes no call to AWS. Throws SecretUnavailable where
 * there are no credentials or no region.
 *
 * @param now epoch milliseconds
 */
export function createTokenSigner(now: () => number): TokenSigner {
  const signers = new Map<string, SignatureV4>();
  const signerOf = ({ service, region = '' }: ManagedGroup) => {
    const key = `${service}/${region}`;
    const signer = signers.get(key) ?? createSigner(service, region || undefined);
    signers.set(key, signer);
    return signer;
  };
  return async (user, managed) => {
    const { service, group } = managed;
    try {
      return await signToken(signerOf(managed), { user, group, at: new Date(now()) });
    } catch (error) {
      throw new SecretUnavailable(`no IAM token can be signed for ${service} ${group}: ${describeFailure(error)}`);
    }
  };
}

interface Asked {
  readonly user: string;
  readonly group: string;
  readonly at: Date;
}

/**
 * A presigned request without its scheme, as AWS' developer-toolkit-elasticache makes it. Its host is the id of the group, and not the endpoint:
 * ids are stored in lower case, and another case is another signature.
 */
async function signToken(signer: SignatureV4, { user, group, at }: Asked): Promise<string> {
  const request = new HttpRequest({
    protocol: 'https:',
    hostname: group,
    path: '/',
    headers: { host: group },
    query: { Action: 'connect', User: user },
  });
  const { query = {} } = await signer.presign(request, { expiresIn: LIFETIME, signingDate: at });
  // Escapes !'()* as well, as the signature did.
  return `${group}/?${buildQueryString(query)}`;
}
