import { PASSWORD_VARIABLE } from '../core/config/environment.ts';
import { parseConfig } from '../core/config/parse.ts';
import type { ConfigProblem } from '../core/config/problem.ts';
import type { Config } from '../core/config/schema.ts';
import { UsageError } from './options.ts';

/** Servers that the command line names by their addresses, as a config. */
interface AddressedFleet {
  readonly config: Config;
  /** The variables that the config's references name, which hold the passwords. */
  readonly env: Readonly<Record<string, string>>;
  /** Nodes whose password was part of their address. */
  readonly exposed: readonly string[];
}

/** In place of a stage, which is a config's. */
const STAGE = 'local';
/** What is typed, by the end of the path in the config. */
const OPTIONS: Readonly<Record<string, string>> = {
  memoryLimit: '--memory-limit',
  'tls.ca': '--cacert',
  'tls.cert': '--cert',
  'tls.key': '--key',
};
const ACCEPTED = 'redis://[user[:password]@]host:port or rediss://… for TLS';

interface Address {
  readonly url: string;
  readonly username: string;
  readonly password: string;
}

/**
 * One instance for each address, with the default policies, and no window: it is only checked.
 *
 * @throws {UsageError} for what is not an address; it never shows a password
 */
export function fleetOf(
  addresses: readonly string[],
  {
    command = 'check',
    memoryLimit,
    env,
    tls = {},
  }: {
    /** For messages. */
    readonly command?: string;
    readonly memoryLimit?: string | undefined;
    readonly env: Readonly<Record<string, string | undefined>>;
    /** Paths of PEM files, for those with rediss://. */
    readonly tls?: Readonly<Partial<Record<'ca' | 'cert' | 'key', string>>>;
  },
): AddressedFleet {
  const read = addresses.map((address) => addressIn(command, address));
  const files = Object.entries(tls).map(([name, path]) => [name, `file:${path}`]);
  if (files.length > 0 && !read.some(({ url }) => hasTls(url)))
    throw new UsageError(`${command}: a certificate is for TLS; accepted beside it: rediss:// addresses`);
  const passwords = read.map(({ password }) => password || env[PASSWORD_VARIABLE] || '');
  const instances = read.map(({ url, username }, index) => ({
    id: read.length === 1 ? 'server' : `server-${index + 1}`,
    url,
    ...(memoryLimit !== undefined && { memoryLimit }),
    ...(hasTls(url) && files.length > 0 && { tls: Object.fromEntries(files) }),
    credentials: {
      ...(username !== '' && { username }),
      ...(passwords[index] !== '' && { password: `env:${variableOf(index)}` }),
    },
  }));
  const result = parseConfig(JSON.stringify({ instances }), STAGE);
  if (!result.ok) throw new UsageError(result.problems.map((problem) => problemText(command, problem)).join('\n'));
  const { config } = result;
  return {
    config,
    env: Object.fromEntries(passwords.map((password, index) => [variableOf(index), password])),
    exposed: config.instances.flatMap(({ nodes: [node] }, index) => (node && read[index]?.password ? [node.id] : [])),
  };
}

function hasTls(url: string): boolean {
  return /^rediss:/i.test(url);
}

/** Not a name that a shell can set: no variable of the environment is hidden by it. */
function variableOf(index: number): string {
  return `offpeak_address_${index + 1}`;
}

/** Without user and password, which go another way: what is checked, shown and logged never holds them. */
function addressIn(command: string, text: string): Address {
  const url = URL.parse(text);
  if (!url || !/^rediss?:\/\//i.test(text))
    throw new UsageError(`${command}: ${shown(text)} is not an address; accepted: ${ACCEPTED}`);
  try {
    const [username, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
    url.username = '';
    url.password = '';
    return { url: url.href, username, password };
  } catch {
    throw new UsageError(
      `${command}: user or password of an address is wrong; accepted: percent-encoded text, %25 for %`,
    );
  }
}

function shown(text: string): string {
  return /[@?#]/.test(text) ? 'this (hidden, since it may hold a password)' : JSON.stringify(text.slice(0, 80));
}

function problemText(command: string, { path, message, accepted }: ConfigProblem): string {
  const [, key = ''] = /\.(memoryLimit|tls\.\w+)$/.exec(path) ?? [];
  const option = OPTIONS[key];
  return option !== undefined
    ? `${command} ${option}: ${message.replace('`tls.cert`', '--cert').replace('`tls.key`', '--key')}; accepted: ${option === '--memory-limit' ? accepted : 'a path to a PEM file'}`
    : `${command}: ${message.replace(/already at .*/, 'named twice')}; accepted: ${ACCEPTED}`;
}
