const NONE =
  'no AWS credentials: a packaged function takes them from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or from AWS_CONTAINER_CREDENTIALS_FULL_URI or AWS_CONTAINER_CREDENTIALS_RELATIVE_URI; profiles, SSO, web identities and instance roles are not in the package';

/**
 * In place of the SDK's way to credentials, which tries profiles, SSO, a process, a web identity and an instance's role as well, and
 * brings clients of STS and SSO for them: 16 KB of each start, and 90 KB in pieces that no function of ours loads. Lambda has its role's
 * keys in the environment, and under SnapStart behind AWS_CONTAINER_CREDENTIALS_FULL_URI (its developer guide, "Defined runtime
 * environment variables"). AWS_PROFILE is of no effect: there is no file that it could name.
 */
export const environmentsCredentials = () => `
  import { fromEnv } from '@aws-sdk/credential-provider-env';
  import { CredentialsProviderError } from '@smithy/core/config';
  import { memoizeChain } from './runtime/memoize-chain';

  const ofContainer = (init) => async () => {
    const { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: relative, AWS_CONTAINER_CREDENTIALS_FULL_URI: full } = process.env;
    if (!relative && !full) throw new CredentialsProviderError(${JSON.stringify(NONE)}, { tryNextLink: false });
    const { fromHttp } = await import('@aws-sdk/credential-provider-http');
    return fromHttp(init)();
  };

  export const credentialsWillNeedRefresh = (credentials) => credentials?.expiration !== undefined;
  export const credentialsTreatedAsExpired = (credentials) =>
    credentialsWillNeedRefresh(credentials) && credentials.expiration.getTime() - Date.now() < 300000;
  export const defaultProvider = (init = {}) =>
    memoizeChain([fromEnv(init), ofContainer(init)], credentialsTreatedAsExpired);`;
