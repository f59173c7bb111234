import { type Reading, scalar } from './scalar.ts';

/** One server process. */
export interface NodeAddress {
  /** `host:port`, an IPv6 host in brackets: unique in a configuration. */
  readonly id: string;
  /** Lower case, an IPv6 address without brackets. */
  readonly host: string;
  /** 1..65535. */
  readonly port: number;
  readonly tls: boolean;
}

/** Where a secret is kept; the configuration never holds one. */
export type SecretReference =
  /** An environment variable. */
  | { readonly source: 'env'; readonly name: string }
  /** A parameter of SSM Parameter Store, by its path from the first slash on. */
  | { readonly source: 'ssm'; readonly name: string }
  /** A secret of Secrets Manager, by name or ARN; with `key`, that key of the JSON object that it holds. */
  | { readonly source: 'secretsmanager'; readonly id: string; readonly key?: string }
  /** A file of the machine that runs Offpeak; a relative path begins at the folder of the config file. */
  | { readonly source: 'file'; readonly path: string };

/** The keys of an instance's `tls` that are references. */
export const TLS_SECRETS = ['ca', 'cert', 'key', 'passphrase'] as const;

/** A name or an IP address, as servers say them of others: it becomes a key, a dimension of a metric, and a word in a log. */
export function isHost(text: string): boolean {
  return /^[a-zA-Z\d_.:-]{1,253}$/.test(text);
}

const DEFAULT_PORT = 6379;
const HOST_NAME = /^[a-z\d_]([a-z\d._-]{0,251}[a-z\d_])?$/;

const ENV = 'env:(?<env>[A-Za-z_][A-Za-z0-9_]{0,127})';
/** Up to 15 levels (SSM); versions and labels (`:3`) are left out, as a rotated secret has to be the latest one. */
const SSM = 'ssm:(?<ssm>(/[A-Za-z0-9_.-]{1,128}){1,15})';
const ARN = 'arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:';
const SECRETS_MANAGER = `secretsmanager:(?<id>(${ARN})?[A-Za-z0-9/_+=.@-]{1,512})(#(?<key>[A-Za-z0-9_.-]{1,128}))?`;
/** `~` is a shell's, and would be a folder of that name. */
const FILE = 'file:(?<file>[!-}\u00a1-\u1fff\u3001-\ud7ff][ -~\u00a1-\u1fff\u3001-\ud7ff]{0,1023})';
const REFERENCE = `^(${ENV}|${SSM}|${SECRETS_MANAGER}|${FILE})$`;

/** `redis://host:6379` or, with TLS, `rediss://host:6379`. */
export function nodeAddress() {
  return scalar<NodeAddress>({
    accepted: 'redis://host:port or rediss://host:port, without user, password, query or database',
    json: { type: 'string', pattern: '^rediss?://[^@?#\\s/]+(/0?)?$' },
    read: readAddress,
  });
}

/** `redis://${HOST}:6379`, as other tools write it. */
const VARIABLE = /\$\{?\w+\}?/;

function readAddress(raw: unknown): Reading<NodeAddress> {
  if (typeof raw === 'string' && VARIABLE.test(raw) && !raw.includes('@'))
    return { refused: 'holds a variable, and none is replaced in an address: write the host itself' };
  if (typeof raw !== 'string' || /\s/.test(raw) || !URL.canParse(raw)) return { refused: 'is not an address' };
  const url = new URL(raw);
  if (!/^rediss?:\/\//i.test(raw)) return { refused: 'is neither redis:// nor rediss://' };
  if (url.username !== '' || url.password !== '' || raw.includes('@')) {
    return { refused: 'holds a user or a password: put them under `credentials`, by reference' };
  }
  if (/[?#]/.test(raw)) return { refused: 'has a query: options have keys of their own here' };
  if (!['', '/', '/0'].includes(url.pathname)) {
    return { refused: 'names a database: memory belongs to the server, not to a database' };
  }
  return readHostAndPort(url);
}

function readHostAndPort(url: URL): Reading<NodeAddress> {
  const bracketed = url.hostname.toLowerCase();
  const isIpv6 = bracketed.startsWith('[');
  if (bracketed === '') return { refused: 'has no host' };
  if (!isIpv6 && !HOST_NAME.test(bracketed)) return { refused: 'has no valid host' };
  const port = url.port === '' ? DEFAULT_PORT : Number(url.port);
  if (port === 0) return { refused: 'has port 0' };
  const host = isIpv6 ? bracketed.slice(1, -1) : bracketed;
  return { value: { id: `${bracketed}:${port}`, host, port, tls: url.protocol === 'rediss:' } };
}

/** `env:NAME`, `ssm:/path/name`, `secretsmanager:name-or-arn`, `secretsmanager:name-or-arn#json-key` or `file:path`. */
export const ACCEPTED_REFERENCES =
  'a reference, like env:REDIS_PASSWORD, ssm:/redis/password, secretsmanager:redis, for a key of its JSON secretsmanager:redis#password, or file:certs/redis.pem; never the secret itself';

/** Undefined for any other text: it may be the secret itself, so an error must never quote it. */
export function parseSecretReference(text: string): SecretReference | undefined {
  const { env, ssm, id, key, file } = new RegExp(REFERENCE).exec(text)?.groups ?? {};
  if (env !== undefined) return { source: 'env', name: env };
  if (ssm !== undefined) return { source: 'ssm', name: ssm };
  if (file !== undefined) return { source: 'file', path: file };
  return id === undefined ? undefined : { source: 'secretsmanager', id, ...(key !== undefined && { key }) };
}

/** The text that `parseSecretReference` reads. */
export function printSecretReference(reference: SecretReference): string {
  if (reference.source === 'file') return `file:${reference.path}`;
  if (reference.source !== 'secretsmanager') return `${reference.source}:${reference.name}`;
  return `secretsmanager:${reference.id}${reference.key === undefined ? '' : `#${reference.key}`}`;
}

export function secretReference() {
  return scalar<SecretReference>({
    accepted: ACCEPTED_REFERENCES,
    // Editors know no named groups.
    json: { type: 'string', pattern: REFERENCE.replaceAll(/\?<\w+>/g, '') },
    read(raw) {
      const reference = typeof raw === 'string' ? parseSecretReference(raw) : undefined;
      return reference === undefined ? { refused: 'is not a reference' } : { value: reference };
    },
  });
}
