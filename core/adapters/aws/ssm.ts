import { GetParameterCommand, type Parameter, SSMClient } from '@aws-sdk/client-ssm';
import { CALL_POLICY, regionFrom } from './clients.ts';
import { SecretUnavailable, secretUnavailable } from './secret-failure.ts';

/**
 * From the environment: region, credentials, and AWS_ENDPOINT_URL when set.
 *
 * @throws AwsEnvironmentError when no region is set or an endpoint is not a URL
 */
function createSsmClient(): SSMClient {
  return new SSMClient({ ...CALL_POLICY, ...regionFrom(process.env, 'SSM') });
}

/**
 * Reads parameters, decrypted; a plain String is accepted, too, since the certificate of a CA is not a secret.
 *
 * @throws SecretUnavailable from each call, when there is no such text
 */
export function openParameters(createClient = createSsmClient): (name: string) => Promise<string> {
  // Made at the first call: then a missing region is an error of the reference that needs it.
  let client: SSMClient | undefined;
  return async (name) => {
    const what = `the SSM parameter ${name}`;
    let parameter: Parameter | undefined;
    try {
      client ??= createClient();
      ({ Parameter: parameter } = await client.send(new GetParameterCommand({ Name: name, WithDecryption: true })));
    } catch (failure) {
      throw secretUnavailable(what, 'ssm:GetParameter', failure);
    }
    const { Type, Value } = parameter ?? {};
    if (Type === 'StringList') {
      throw new SecretUnavailable(`${what}, which the config names, is a StringList: store it as a SecureString`);
    }
    if (!Value) throw new SecretUnavailable(`${what}, which the config names, is empty`);
    return Value;
  };
}
