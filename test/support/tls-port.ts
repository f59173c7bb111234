import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type { Authority } from './certificates.ts';
import { ownPort } from './ports.ts';

/**
 * Makes a running server listen for TLS too, as `localhost` and 127.0.0.1. Returns its port; undefined where the server is built without TLS.
 *
 * @param clients whether it asks for a client certificate, which is Redis' default
 */
export async function openTlsPort(
  admin: Redis,
  authority: Authority,
  clients: 'yes' | 'no' = 'yes',
): Promise<number | undefined> {
  const known = await admin.config('GET', 'tls-port');
  if (!Array.isArray(known) || known.length === 0) return undefined;
  const { cert, key } = authority.issue('localhost', { altName: 'DNS:localhost,IP:127.0.0.1' });
  const settings = Object.entries({ 'cert-file': cert, 'key-file': key, 'ca-cert-file': authority.ca }).flatMap(
    ([name, pem]) => {
      const path = join(authority.folder, `server-${name}`);
      writeFileSync(path, pem);
      return [`tls-${name}`, path];
    },
  );
  const port = await ownPort();
  await admin.call('CONFIG', 'SET', ...settings, 'tls-auth-clients', clients, 'tls-port', String(port));
  return port;
}
