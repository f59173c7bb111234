import { isIP, connect as netConnect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as tlsConnect } from 'node:tls';
import { present } from '../../domain/present.ts';
import { closedAtOnce, type Place } from './failure.ts';
import { asMaterialFailure, type TlsMaterial } from './tls-material.ts';

export interface Peer extends Place, TlsMaterial {
  readonly serverName?: string;
}

/**
 * A socket that is connected to one address of its peer, after the TLS handshake. `timeout` (ms) limits all of it (Node's own time-out begins
 * anew with each byte, so that a handshake of one byte a second would never end); an aborted `signal` ends the attempt.
 */
export function openSocket(
  peer: Peer,
  host: string,
  { timeout, signal }: { readonly timeout: number; readonly signal?: AbortSignal },
): Promise<Socket> {
  const { port, tls } = peer;
  return new Promise((resolve, reject) => {
    const socket = tls ? overTls(peer, host) : netConnect({ host, port });
    const late = Object.assign(new Error('connect ETIMEDOUT'), { code: 'ETIMEDOUT' });
    const timer = setTimeout(() => socket.destroy(late), timeout);
    const abandon = () => socket.destroy();
    signal?.addEventListener('abort', abandon);
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abandon);
    };
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      settle();
      resolve(socket);
    });
    // It stays: a later error of the socket without a listener would end the process.
    socket.on('error', (error) => {
      settle();
      reject(error);
    });
    socket.once('close', () => {
      settle();
      reject(tls && !signal?.aborted ? closedAtOnce(peer) : new Error('connection closed'));
    });
  });
}

/** @throws {NodeFailure} where the certificate and the key cannot be used. */
function overTls(peer: Peer, host: string): Socket {
  try {
    return tlsConnect({ host, port: peer.port, ...tlsOptions(peer) });
  } catch (error) {
    throw asMaterialFailure(error, peer) ?? error;
  }
}

/** With the configured name, for any of its addresses. */
function tlsOptions({ host, serverName, ca, cert, key, passphrase }: Peer): ConnectionOptions {
  // SNI holds names only (RFC 6066); the certificate is checked against the address all the same.
  const servername = serverName ?? (isIP(host) === 0 ? host : undefined);
  return present({ ca, cert, key, passphrase, servername });
}
