import { once } from 'node:events';
import { Redis } from 'ioredis';
import { monotonic } from './clock.ts';
import type { Sample } from './latencies.ts';

/**
 * GETs at a steady pace, in a process of its own, until its stdin ends: `node prober.ts <port> <key> <per second>`. A request
 * never waits for the answer to the one before, so that a server that stalls is asked all the same, and each answer that comes late
 * counts. Prints the samples as JSON.
 */
const [port = '', key = '', pace = '1000'] = process.argv.slice(2);
const redis = new Redis({
  host: '127.0.0.1',
  port: Number(port),
  protocol: 2,
  enableReadyCheck: false,
  retryStrategy: null,
});
redis.on('error', () => {});
// Without a server, or without whoever asked for this, there is nothing left to measure.
redis.on('end', () => process.exit(1));
process.stdout.on('error', () => process.exit(1));

const samples: Sample[] = [];
const startedAt = performance.now();
let sent = 0;

const timer = setInterval(() => {
  const due = Math.floor(((performance.now() - startedAt) * Number(pace)) / 1000);
  // After a pause of our own, what was missed is not made up for at once: that would be a burst.
  sent = Math.max(sent, due - 5);
  for (; sent < due; sent++) {
    const at = monotonic();
    redis.get(key).then(
      () => samples.push([at, monotonic() - at]),
      () => {},
    );
  }
}, 1);

await once(process.stdin.resume(), 'end');
clearInterval(timer);
await redis.ping();
process.stdout.write(JSON.stringify(samples), () => process.exit());
