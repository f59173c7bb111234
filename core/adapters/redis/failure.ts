import { lookup } from '../../format/lookup.ts';
import { NodeFailure } from '../../ports/node-session.ts';
import { CLOSED_UNENCRYPTED, closedInHandshake, handshakeHint, SILENT_IN_HANDSHAKE, SPEAKS_TLS } from './hints.ts';

/** Where something failed; the message depends on TLS. */
export interface Place {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** The remedy depends on whether they are set. */
  readonly ca?: string;
  readonly cert?: string;
  /** It was named on the command line, without a config: remedies name what is typed there. */
  readonly isAddressed?: true;
}

/** How long a connection, with its TLS handshake, may take. */
export const CONNECT_TIMEOUT_MS = 3000;

/**
 * Redis' own error replies have up to 400 characters. Another program on the port may send megabytes, escape sequences, or marks that
 * change the direction of the text or break the line (\p{C}: control, format, half of a character; \p{Zl}, \p{Zp}: U+2028, U+2029).
 */
export function printable(error: string): string {
  return error.slice(0, 500).replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ');
}

/** `WRONGPASS`, `NOPERM`, … : the code only, since what follows may quote the command. */
export function errorCode(error: string): string {
  return /^-?([A-Z]+)\b/.exec(error)?.[1] ?? 'ERR';
}

/** What the system's codes mean here, for a reader who does not know them. */
const MEANINGS: Readonly<Record<string, string>> = {
  ECONNREFUSED: '(nothing listens on that port: check it, and that the server runs)',
  EHOSTUNREACH: '(there is no route to it: check the address, and the network of this machine)',
  ENETUNREACH: '(there is no route to it: check the address, and the network of this machine)',
};

/** The client's errors, in words for the person who fixes the cause. */
export function asFailure(error: unknown, target: Place): NodeFailure {
  if (error instanceof NodeFailure) return error;
  const { code = '', message = '' } = (error ?? {}) as { code?: string; message?: string };
  const where = address(target);
  const farewell = farewellIn(message);
  if (farewell) return hungUp(target, farewell);
  if (
    /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_|SELF_SIGNED|UNABLE_TO|ERR_OSSL|HOSTNAME)/.test(code) ||
    /ssl|tls|certificate/i.test(message)
  ) {
    return tlsFailure(error, target);
  }
  if (code === 'ETIMEDOUT' || /timed? ?out/i.test(message)) {
    const what = target.tls ? 'complete a TLS handshake' : 'accept a connection';
    const hint = target.tls ? `. ${SILENT_IN_HANDSHAKE}` : '';
    return new NodeFailure('timeout', `${where} did not ${what} within ${CONNECT_TIMEOUT_MS} ms${hint}`);
  }
  const why = [code || 'connection closed', lookup(MEANINGS, code)].filter((part) => part !== undefined).join(' ');
  return new NodeFailure('unreachable', `${where} cannot be reached: ${why}`);
}

function tlsFailure(error: unknown, target: Place): NodeFailure {
  const { code = '', cert } = (error ?? {}) as { code?: string; cert?: { subjectaltname?: string } };
  const hint = /ALTNAME|HOSTNAME/.test(code) ? nameHint(target, cert?.subjectaltname) : handshakeHint(code, target);
  const what = `TLS with ${address(target)} failed: `;
  return new NodeFailure('tls', hint === undefined ? `${what}${code || 'handshake'}` : `${what}${hint} (${code})`);
}

/** `names`, like `DNS:carts.test, IP Address:10.0.0.1`, are the server's words. */
function nameHint({ isAddressed }: Place, names = ''): string {
  const listed = printable(names).slice(0, 200);
  const whose = listed === '' ? 'another name' : `other names (${listed})`;
  return `the certificate of the server is for ${whose}. Connect to one of its names, or set tls.serverName ${isAddressed ? 'in a config ' : ''}to one`;
}

/** What a server sends by itself before it closes the connection: before the first command, or as if it were the reply to it. */
const FAREWELLS = [
  {
    said: /max number of clients reached/i,
    meaning: 'all of its maxclients connections are taken. Raise maxclients, or close idle clients',
  },
  {
    said: /DENIED .*protected mode/i,
    meaning:
      'it is in protected mode, in which it serves only its own machine. Set a password on it (requirepass), or run Offpeak there',
  },
] as const;

export function hungUp(target: Place, farewell: string): NodeFailure {
  return new NodeFailure('refused', `${address(target)} closes the connection: ${farewell}`);
}

/** It was connected, and closed before a single byte came back: at a port of the other kind, or by a proxy without a server. */
export function closedAtOnce(target: Place): NodeFailure {
  return new NodeFailure(
    'unreachable',
    `${address(target)} cannot be reached: ${target.tls ? closedInHandshake(target) : CLOSED_UNENCRYPTED}`,
  );
}

export function speaksTls(target: Place): NodeFailure {
  return new NodeFailure('tls', `${address(target)}: ${SPEAKS_TLS}`);
}

/** `sent`: a description of what it has sent, without any of its bytes. */
export function notRedis(target: Place, sent: string): NodeFailure {
  const where = address(target);
  return new NodeFailure(
    'not-redis',
    `${where} sent ${sent}. Check which server or proxy listens there: it answers, but not in the protocol of Redis`,
  );
}

export function farewellIn(message: string): string | undefined {
  return FAREWELLS.find(({ said }) => said.test(message))?.meaning;
}

export function address({ host, port }: Pick<Place, 'host' | 'port'>): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

export const COMMAND_TIMEOUT_MS = 3000;
