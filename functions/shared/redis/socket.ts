import { isIP, connect as netConnect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as tlsConnect } from 'node:tls';
import { CONNECT_TIMEOUT_MS, type Place } from './failure.ts';

export interface Peer extends Place {
  readonly ca?: string;
  readonly serverName?: string;
}

/**
 * A socket that is connected, with the TLS handshake behind it. The time is bounded as a whole (Node's own time-out begins anew with each
 * byte, so that a handshake of one byte a second would never end).
 */
export function openSocket(peer: Peer): Promise<Socket> {
  const { host, port, tls } = peer;
  return new Promise((resolve, reject) => {
    const socket = tls ? tlsConnect({ host, port, ...tlsOptions(peer) }) : netConnect({ host, port });
    const late = Object.assign(new Error('connect ETIMEDOUT'), { code: 'ETIMEDOUT' });
    const timer = setTimeout(() => socket.destroy(late), CONNECT_TIMEOUT_MS);
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer);
      resolve(socket);
    });
    // It stays: what happens to the socket afterwards must find a listener, or it ends the process.
    socket.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    socket.once('close', () => {
      clearTimeout(timer);
      reject(new Error('connection closed'));
    });
  });
}

function tlsOptions({ host, ca, serverName }: Peer): ConnectionOptions {
  // SNI holds names only (RFC 6066); the certificate is checked against the address all the same.
  const servername = serverName ?? (isIP(host) === 0 ? host : undefined);
  return { ...(ca !== undefined && { ca }), ...(servername !== undefined && { servername }) };
}
