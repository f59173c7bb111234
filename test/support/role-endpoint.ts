import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Where AWS_CONTAINER_CREDENTIALS_FULL_URI leads: gives keys away, `key-1` first, then `key-2`. */
export interface RoleEndpoint extends AsyncDisposable {
  readonly url: string;
  /** What each who asked showed for authorization. */
  readonly asked: readonly (string | undefined)[];
}

/** @param lifetimes in minutes, of the first keys, the second, …; an hour where there is none */
export async function roleEndpoint(lifetimes: readonly number[] = []): Promise<RoleEndpoint> {
  const asked: (string | undefined)[] = [];
  const server = createServer(({ headers }, response) => {
    const minutes = lifetimes[asked.length] ?? 60;
    asked.push(headers.authorization);
    const Expiration = new Date(Date.now() + minutes * 60_000).toISOString();
    const keys = { AccessKeyId: `key-${asked.length}`, SecretAccessKey: 'testing', Token: 'testing', Expiration };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(keys));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/role`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
