import * as z from 'zod/mini';
import { secretReference } from './address.ts';
import { iamSignIn } from './iam.ts';
import { mapping, optional, text } from './scalar.ts';

/** What a TLS connection to a node takes. */
export const tls = mapping({
  ca: optional(
    secretReference(),
    "Reference to the PEM of the authority that signed the server's certificate, like file:certs/ca.pem or ssm:/path/name.",
  ),
  cert: optional(
    secretReference(),
    'Reference to the PEM of the client certificate, where the server asks for one (tls-auth-clients); needs key.',
  ),
  key: optional(secretReference(), 'Reference to the PEM of the private key of cert.'),
  passphrase: optional(secretReference(), 'Reference to the passphrase of key, where the key is encrypted.'),
  serverName: optional(
    text('^[A-Za-z\\d]([A-Za-z\\d.-]{0,251}[A-Za-z\\d])?$', "a host name, the one in the server's certificate"),
    "Name that the server's certificate must carry, where it is not the host of the URL.",
  ),
});

/** How to sign in to a node. */
export const credentials = mapping({
  username: optional(
    text(
      '^(?!(env|ssm|secretsmanager):)[^\\s\\u0000-\\u001f\\u007f]{1,128}$',
      'a user name as plain text, without spaces; not a reference',
    ),
    'ACL user; without it, the default user.',
  ),
  password: optional(
    secretReference(),
    'Reference to the password: env:NAME, ssm:/path/name, secretsmanager:name, secretsmanager:name#json-key or file:path.',
  ),
  iam: optional(
    iamSignIn(),
    'In place of a password: a token that the AWS credentials of the job sign for each connection, for users of ElastiCache and MemoryDB with IAM.',
  ),
  unencrypted: optional(
    z.enum(['accepted'], { error: 'accepted, or nothing at all' }),
    'accepted: no warning where the password crosses a network over redis://, without TLS.',
  ),
});
