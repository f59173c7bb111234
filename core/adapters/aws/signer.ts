import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { loadConfig, NODE_REGION_CONFIG_FILE_OPTIONS, NODE_REGION_CONFIG_OPTIONS } from '@smithy/core/config';
import { Hash } from '@smithy/core/serde';
import { SignatureV4 } from '@smithy/signature-v4';
import { regionOf } from './clients.ts';

/**
 * Signs what no client of the SDK sends, as the clients sign: with the credentials that the SDK finds, which it keeps until shortly before they
 * expire. They and the region are read with the first signature, which fails without them.
 *
 * @param service as in the scope of the signature, like `elasticache`
 * @param named the region of what is signed for; without it, the job's own
 * @throws AwsEnvironmentError when no region is set
 */
export function createSigner(service: string, named?: string): SignatureV4 {
  const region =
    named ?? regionOf(process.env) ?? loadConfig(NODE_REGION_CONFIG_OPTIONS, NODE_REGION_CONFIG_FILE_OPTIONS);
  return new SignatureV4({ service, region, credentials: defaultProvider(), sha256: Hash.bind(null, 'sha256') });
}
