import { PASSWORD_VARIABLE } from '../../config/environment.ts';
import type { ManagedGroup, ManagedService } from '../../config/iam.ts';

/** What the config sets, as far as a remedy depends on it. */
interface Configured {
  readonly ca?: string;
  readonly cert?: string;
  /** There is no config: the server was named by its address, on the command line. */
  readonly isAddressed?: true;
}

/** Where a person sets what TLS takes: keys of the config, or options of the command line, which are those of redis-cli. */
const KEYS = { ca: 'tls.ca', cert: 'tls.cert', key: 'tls.key' } as const;
const OPTIONS = { ca: '--cacert', cert: '--cert', key: '--key' } as const;

/** What a person sets, by the names of `tls`. */
export function keysOf({ isAddressed }: Pick<Configured, 'isAddressed'>): Readonly<Record<keyof typeof KEYS, string>> {
  return isAddressed ? OPTIONS : KEYS;
}

interface Hint {
  /** OpenSSL's code, as Node prints it. */
  readonly code: RegExp;
  readonly says: (configured: Configured, key: ReturnType<typeof keysOf>) => string;
}

/**
 * What a failed TLS handshake means, and what to do: the codes are those of Node and OpenSSL (`ERR_SSL_` and the alert of RFC 8446, 6.2; an
 * alert is what the server has sent).
 */
const HANDSHAKE: readonly Hint[] = [
  {
    code: /^(?:SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT)$/,
    says: ({ ca }, key) =>
      ca === undefined
        ? `the certificate of the server is signed by an authority that this machine does not know. Set ${key.ca} to the PEM of that authority`
        : `the certificate of the server is not signed by the authority in ${key.ca}. Set ${key.ca} to the authority that signed it`,
  },
  {
    code: /^(?:UNABLE_TO_|CERT_UNTRUSTED|CERT_CHAIN_TOO_LONG|INVALID_CA|CERT_SIGNATURE_FAILURE|AUTHORITY_ISSUER|SUBJECT_ISSUER)/,
    says: ({ ca }, key) =>
      `the authority that signed the certificate of the server is unknown. Set ${key.ca} to the PEM of ${
        ca === undefined ? 'that authority' : 'the right authority'
      }, with the intermediate certificates that the server does not send`,
  },
  {
    code: /^CERT_HAS_EXPIRED$/,
    says: () =>
      'the certificate of the server, or of its authority, has expired. Renew it on the server, and check the clock of this machine',
  },
  {
    code: /^CERT_NOT_YET_VALID$/,
    says: () => 'the certificate of the server is not valid yet. Check the clocks of this machine and of the server',
  },
  { code: /^CERT_REVOKED$/, says: () => 'the certificate of the server is revoked. Renew it on the server' },
  { code: /^ECONNRESET$/, says: closedInHandshake },
  {
    code: /ALERT_CERTIFICATE_REQUIRED$/,
    says: ({ cert }, key) =>
      cert === undefined
        ? `the server asks for a client certificate. Set ${key.cert} and ${key.key}`
        : `the server does not accept the client certificate in ${key.cert}`,
  },
  {
    code: /ALERT_HANDSHAKE_FAILURE$/,
    says: ({ cert }, key) =>
      cert === undefined
        ? `the server ended the handshake. If it asks for a client certificate, set ${key.cert} and ${key.key}; else it shares no cipher with this machine`
        : `the server ended the handshake. Check that it trusts the authority of ${key.cert}, and which ciphers it allows`,
  },
  {
    code: /ALERT_UNKNOWN_CA$/,
    says: (_, key) =>
      `the server does not know the authority that signed the client certificate in ${key.cert}. Add that authority to its tls-ca-cert-file`,
  },
  {
    code: /ALERT_CERTIFICATE_EXPIRED$/,
    says: (_, key) => `the client certificate in ${key.cert} has expired. Renew it`,
  },
  {
    code: /ALERT_(?:BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|CERTIFICATE_REVOKED|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED|DECRYPT_ERROR|NO_CERTIFICATE)$/,
    says: ({ cert }, key) =>
      cert === undefined
        ? `the server asks for a client certificate. Set ${key.cert} and ${key.key}`
        : `the server refuses the client certificate in ${key.cert}. Check that it is a certificate for clients, and valid now`,
  },
  {
    code: /ALERT_UNRECOGNIZED_NAME$/,
    says: () => 'the server has no certificate for this name. Set tls.serverName to a name that it has one for',
  },
  {
    code: /(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|WRONG_SSL_VERSION|RECORD_LAYER_FAILURE|BAD_RECORD_TYPE)$/,
    says: () =>
      'what listens on this port does not speak TLS. Write redis:// in place of rediss://, or name the TLS port of the server',
  },
  {
    code: /(?:UNSUPPORTED_PROTOCOL|ALERT_PROTOCOL_VERSION|NO_PROTOCOLS_AVAILABLE)$/,
    says: () =>
      'the server and this machine share no version of TLS. Allow TLS 1.2 or 1.3 on the server (tls-protocols)',
  },
];

/** Undefined: nothing more than the code is known. */
export function handshakeHint(code: string, configured: Configured): string | undefined {
  return HANDSHAKE.find((hint) => hint.code.test(code))?.says(configured, keysOf(configured));
}

export function closedInHandshake(configured: Configured): string {
  const key = keysOf(configured);
  const remedy =
    configured.cert === undefined
      ? `set ${key.cert} and ${key.key}`
      : `check that it trusts the authority of ${key.cert}`;
  return `the server closed the connection at the TLS handshake. If it does not speak TLS on this port, write redis:// in place of rediss://; if it asks for a client certificate, ${remedy}`;
}

export const SILENT_IN_HANDSHAKE =
  'If the server does not speak TLS on this port, write redis:// in place of rediss://';
export const CLOSED_UNENCRYPTED =
  'the server closed the unencrypted connection before it answered. If it speaks TLS on this port, write rediss:// in place of redis://';
export const SPEAKS_TLS = 'the server speaks TLS on this port. Write rediss:// in place of redis://';

interface SignIn extends Pick<Configured, 'isAddressed'> {
  readonly username?: string;
  readonly iam?: ManagedGroup;
  /** The reference of the config that the password was read by. */
  readonly passwordFrom?: string;
}

/** Why a sign-in was refused: `code` is `WRONGPASS`, `ERR`, …; `words`: the reply, which is not shown. */
export function signInHint(code: string, words: string, { username, iam, isAddressed, passwordFrom }: SignIn): string {
  const from = passwordFrom === undefined ? '' : ` (${passwordFrom})`;
  if (iam !== undefined) return iamHint(iam);
  if (/wrong number of arguments/i.test(words))
    return `This server is older than Redis 6 and has no users: leave out ${isAddressed ? 'the user of the address' : 'credentials.username'}`;
  if (code === 'NOPERM') return 'The user may not sign in: ACL GETUSER shows its rules';
  if (isAddressed)
    return username === undefined
      ? `Check the password in ${PASSWORD_VARIABLE}, or in the address. Without a user in the address (redis://user@host:port), the user is default: ACL GETUSER default shows whether it is on`
      : `Check the user in the address and the password in ${PASSWORD_VARIABLE}, or in the address. ACL GETUSER shows whether the user is on`;
  return username === undefined
    ? `Check the secret that credentials.password names${from}. Without credentials.username, the user is default: ACL GETUSER default shows whether it is on`
    : `Check credentials.username and the secret that credentials.password names${from}. ACL GETUSER shows whether the user is on`;
}

/** What AWS checks of a token. Whatever fails, it answers WRONGPASS (auth-iam.html of both services). */
function iamHint({ service, group }: ManagedGroup): string {
  const { what, users, right } = IAM_CHECKS[service];
  return `Check that the user has authentication by IAM, and that its name is its id; that ${users} of the ${what} ${group} has it; that the engine is Valkey 7.2, Redis 7.0 or newer; that the role of this job may ${right} on the ${what} and on the user; and the clock of this machine`;
}

const IAM_CHECKS: Readonly<Record<ManagedService, { what: string; users: string; right: string }>> = {
  elasticache: { what: 'replication group', users: 'a user group', right: 'elasticache:Connect' },
  memorydb: { what: 'cluster', users: 'the ACL', right: 'memorydb:Connect' },
};

/** What to do about a server that refuses INFO. */
function infoRemedy(code: string, isAddressed = false): string | undefined {
  if (code === 'NOPERM') return 'Allow this user +info (ACL SETUSER)';
  if (code !== 'NOAUTH') return undefined;
  return isAddressed
    ? `Set ${PASSWORD_VARIABLE} to the password, and for a user of an ACL write redis://user@host:port`
    : 'Set credentials.password, and for a user of an ACL credentials.username';
}

/** The server's words, which may end with a dot, and then what to do. */
export function infoRefusalText(error: string, code: string, isAddressed?: boolean): string {
  const remedy = infoRemedy(code, isAddressed);
  return `INFO was refused: ${remedy === undefined ? error : `${error.replace(/\.$/, '')}. ${remedy}`}`;
}
