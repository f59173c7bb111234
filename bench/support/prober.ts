import { once } from 'node:events';
import { Redis } from '../../core/adapters/redis/client.ts';
import { monotonic, type Sample } from './latencies.ts';

/**
 * GETs at a steady pace, in a process of its own, until its stdin ends: `node prober.ts <port> <key> <per second>`. An open loop: a
 * request is due every 1/pace of a second, whether or not the one before has been answered, and none is left out. What the prober itself
 * is late by is noted beside what the server took: a client's wait is the sum. Says when it has begun, and prints the samples as JSON.
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
// Without a server, or without the process that started this one, there is nothing to measure.
redis.on('end', () => process.exit(1));
process.stdout.on('error', () => process.exit(1));

await redis.ping().catch(() => {});
const samples: Sample[] = [];
const period = 1_000_000 / Number(pace);
const startedAt = monotonic();
let sent = 0;

function ask(dueAt: number): void {
  const at = monotonic();
  redis.get(key).then(
    () => samples.push([at, monotonic() - at, at - dueAt]),
    () => {},
  );
}

const timer = setInterval(() => {
  // After a pause of this process, what was due meanwhile is asked at once: clients elsewhere would not have waited for it.
  const due = Math.floor((monotonic() - startedAt) / period);
  while (sent < due) ask(startedAt + ++sent * period);
}, 1);
process.send?.('begun');

await once(process.stdin.resume(), 'end');
clearInterval(timer);
await redis.ping();
process.stdout.write(JSON.stringify(samples), () => process.exit());
