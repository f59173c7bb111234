import { GetParameterCommand, type Parameter, SSMClient } from '@aws-sdk/client-ssm';
import { clientSettings } from './clients.ts';
import { secretUnavailable, unusable } from './secret-failure.ts';

/**
 * Reads parameters, decrypted; a plain String is accepted, too, since the certificate of a CA is not a secret.
 *
 * @throws SecretUnavailable from each call, when there is no such text
 */
export function openParameters(
  createClient = () => new SSMClient(clientSettings('SSM')),
): (name: string) => Promise<string> {
  // Made at the first call: where no region is set, the error then names the reference.
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
    if (Type === 'StringList') throw unusable(what, 'is a StringList: store it as a SecureString');
    if (!Value) throw unusable(what, 'is empty');
    return Value;
  };
}
