import { NodeFailure } from '../../ports/node-session.ts';
import type { Resolved } from '../dns/names.ts';
import { type ByteConnection, type Command, type Connection, open, type Target } from './connection.ts';
import { address, asFailure, CONNECT_TIMEOUT_MS, errorCode } from './failure.ts';
import { GuardedStream } from './guarded-stream.ts';
import { signInHint } from './hints.ts';
import { openSocket } from './socket.ts';

const SIGN_IN_TIMEOUT_MS = 2000;
const CONNECTION_NAME = 'offpeak';

/** So many addresses of one name are tried at most. */
const MOST_ADDRESSES = 6;

/**
 * One connection to the first address of `route` that accepts it, within one time-out for all addresses. An aborted `signal` ends the
 * attempt.
 */
export async function connect(target: Target, route: Resolved, signal?: AbortSignal): Promise<ByteConnection> {
  const connection = await reach(target, route, signal);
  const abandon = () => connection.close();
  signal?.addEventListener('abort', abandon);
  try {
    await signIn(connection, target);
  } catch (error) {
    connection.close();
    throw error;
  } finally {
    signal?.removeEventListener('abort', abandon);
  }
  return connection;
}

async function reach(target: Target, { addresses, stale }: Resolved, signal?: AbortSignal): Promise<ByteConnection> {
  const tried = addresses.slice(0, MOST_ADDRESSES);
  let failure = new NodeFailure('unreachable', `${address(target)} cannot be reached: it has no address`);
  for (const host of tried) {
    signal?.throwIfAborted();
    try {
      const bounds = { timeout: CONNECT_TIMEOUT_MS / tried.length, ...(signal && { signal }) };
      return await open(target, new GuardedStream(await openSocket(target, host, bounds), target));
    } catch (error) {
      failure = asFailure(error, target);
      if (failure.kind !== 'unreachable' && failure.kind !== 'timeout') break;
    }
  }
  throw stale === undefined ? failure : new NodeFailure(failure.kind, `${failure.message}; ${stale}`);
}

/** ioredis is not given the password: its errors carry the command that failed, arguments included. */
async function signIn(connection: Connection, target: Target): Promise<void> {
  const { username, password, iam } = target;
  const auth: Command[] =
    password === undefined ? [] : [['AUTH', ...(username === undefined ? [] : [username]), password]];
  const replies = await connection.send([...auth, ['CLIENT', 'SETNAME', CONNECTION_NAME]], SIGN_IN_TIMEOUT_MS);
  const [first] = replies;
  if (auth.length > 0 && first && !first.ok && !isPasswordNeedless(first.error)) {
    const code = errorCode(first.error);
    const what = iam === undefined ? 'password' : 'IAM token';
    throw new NodeFailure(
      'wrong-credentials',
      `the server refused the ${what}: ${code}. ${signInHint(code, first.error, target)}`,
    );
  }
}

/** A password for a server that requires none is harmless: it is about to get one, or has just lost it. */
function isPasswordNeedless(error: string): boolean {
  return /no password is set|without any password configured/i.test(error);
}
