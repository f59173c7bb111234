import { expect, test } from 'vitest';
import { ask, isErrorReply } from '../../../cli/lab/client.ts';
import { ownPort } from '../../support/ports.ts';
import { plainServer } from '../../support/servers.ts';

const HOST = '127.0.0.1';

test('an error of the server is its answer; no server is none', async () => {
  await using server = await plainServer();
  expect(await ask(server, 'PING')).toBe('PONG');
  const refused = await ask(server, 'GET').catch((error: unknown) => error);
  expect(isErrorReply(refused) && refused.message).toMatch(/^ERR wrong number of arguments/);
  const absent = await ask({ host: HOST, port: await ownPort() }, 'PING').catch((error: unknown) => error);
  expect(absent).toBeInstanceOf(Error);
  expect(isErrorReply(absent)).toBe(false);
});
