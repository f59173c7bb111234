/**
 * Debug output without secrets. Every entry imports this first, since both switches are read once.
 *
 * DEBUG: ioredis prints every command with its arguments (built/Redis.js, sendCommand), AUTH and the password included. A name with a
 * hyphen is left out, even if another pattern matches; other libraries still print.
 *
 * NODE_DEBUG: Node prints the options of its connections and requests: headers with a session token of AWS, and the address of Slack's
 * webhook, which is a secret as a whole; and the environment of programs that it starts. Node has read that variable before any of this runs, so its lines are dropped where it writes them.
 */
const { DEBUG, NODE_DEBUG } = process.env;

if (DEBUG) process.env.DEBUG = `${DEBUG},-ioredis*`;

/** As Node's lib/internal/util/debuglog.js writes them: `NET 4711: …`, the number in colours on a terminal; one write for each. */
const REVEALING = /^(NET|TLS|HTTP|HTTPS|HTTP2|STREAM|FETCH|UNDICI|WEBSOCKET|CHILD_PROCESS) (\p{Cc}\[\d+m)?\d+/u;

if (NODE_DEBUG) {
  const write = process.stderr.write.bind(process.stderr) as (...args: readonly unknown[]) => boolean;
  process.stderr.write = (...[chunk, ...rest]: readonly unknown[]) =>
    typeof chunk === 'string' && REVEALING.test(chunk) ? true : write(chunk, ...rest);
  write('offpeak: NODE_DEBUG is set: lines about connections and requests are left out, since they hold secrets\n');
}

export {};
