import getPort from 'get-port';

/**
 * A free loopback port from below those that systems hand out by themselves (from 32,768 on Linux): the thousands of connections of the tests
 * take none of it, so that it is still free when a server starts, and when one that has ended starts there again.
 */
export async function ownPort(first = 10_000, last = 19_999): Promise<number> {
  const from = first + Math.floor(Math.random() * (last - first - TRIED));
  return await getPort({ host: '127.0.0.1', port: Array.from({ length: TRIED }, (_, index) => from + index) });
}

const TRIED = 50;
