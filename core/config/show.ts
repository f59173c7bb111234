/** A path into the configuration, as zod and yaml use it. */
export type Path = readonly PropertyKey[];

const LONGEST_SHOWN = 60;
const HIDDEN = '(hidden)';
// Nothing but a scheme, a host, a port and a database number: no room for a password.
const BARE_ADDRESS = /^([a-z][a-z\d+.-]{0,15}:\/\/)?(\[[\da-f:.]{0,45}\]|[\w.-]{0,253})(:\d{0,5})?(\/\d{0,5})?$/i;
const KNOWN_SCHEME = /^(rediss?|valkeys?|https?|tcp|unix):\/\//i;
const PLAIN_KEY = /^[A-Za-z_][\w.-]{0,39}$/;

/** `instances[2].purge.minReclaim`; the empty string for the file itself. */
export function showPath(path: Path): string {
  return path.reduce<string>((shown, key) => {
    if (typeof key === 'number') return `${shown}[${key}]`;
    return shown === '' ? String(key) : `${shown}.${String(key)}`;
  }, '');
}

/** The value as a problem may quote it: short, on one line, without anything that could be a secret. */
export function showValue(value: unknown, path: Path): string {
  if (value === undefined) return '(missing)';
  if (value === null) return '(empty)';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (isSecret(path)) return HIDDEN;
  if (typeof value !== 'string') return String(value);
  return path.includes('url') || path.includes('nodes') || /@|:\/\//.test(value) ? showAddress(value) : quote(value);
}

/** A password can stand anywhere in a malformed URL, in its "host" too: all of it is shown, or only the scheme. */
function showAddress(address: string): string {
  if (BARE_ADDRESS.test(address)) return quote(address);
  return `${KNOWN_SCHEME.exec(address)?.[0].toLowerCase() ?? ''}${HIDDEN}`;
}

function quote(value: string): string {
  return JSON.stringify(value.length > LONGEST_SHOWN ? `${value.slice(0, LONGEST_SHOWN)}…` : value);
}

/**
 * Everything below `credentials`, since a password may stand in place of the user name by mistake; the CA; and everything
 * at or below `slack`, where the address of the webhook is the secret.
 */
function isSecret(path: Path): boolean {
  return path.includes('credentials') || path.includes('slack') || (path.includes('tls') && path.includes('ca'));
}

/**
 * An unknown key as a problem may quote it, undefined where it may not. `{password:hunter2}` lacks a space, so that the secret becomes part of
 * the key; in a secret's neighbourhood a key is shown only when it is near one that exists.
 */
export function showUnknownKey(key: string, path: Path, nearKnown: boolean): string | undefined {
  const safe = PLAIN_KEY.test(key) && (nearKnown || !['credentials', 'tls', 'slack'].some((key) => path.includes(key)));
  return safe ? key : undefined;
}
