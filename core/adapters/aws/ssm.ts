import { GetParameterCommand, type Parameter, SSMClient } from '@aws-sdk/client-ssm';
import { CALL_POLICY, regionFrom } from './clients.ts';
import { SecretUnavailable, secretUnavailable } from './secret-failure.ts';

/**
 * From the environment: region, credentials, and AWS_ENDPOINT_URL when set.
 *
 * @throws AwsEnvironmentError when no region is set or an endpoint is no URL
 */
function createSsmClient(): SSMClient {
  return new SSMClient({ ...CALL_POLICY, ...regionFrom(process.env, 'SSM') });
}

/**
 * Reads parameters, decrypted; a plain String serves as well, since a CA's certificate is no secret.
 *
 * @throws SecretUnavailable from each call, when there is no such text
 */
export function openParameters(createClient = createSsmClient): (name: string) => Promise<string> {
  // Made at the first call: an environment that lacks a region is then told as what the reference lacks.
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
      throw new SecretUnavailable(`${what}, which the config names, is a StringList: accepted is a SecureString`);
    }
    if (!Value) throw new SecretUnavailable(`${what}, which the config names, is empty`);
    return Value;
  };
}
