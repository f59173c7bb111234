import { Redis } from 'ioredis';

/**
 * GETs at a steady pace, in a process of its own, until it is told to stop: `node prober.ts <port> <key> <per second>`. A request
 * never waits for the answer to the one before, so that a server that stalls is asked all the same, and each answer that comes late
 * counts. Prints the latencies in microseconds as JSON.
 */
const [port = '', key = '', pace = '1000'] = process.argv.slice(2);
const redis = new Redis({ host: '127.0.0.1', port: Number(port), protocol: 2, enableReadyCheck: false });
const latencies: number[] = [];
const startedAt = performance.now();
let sent = 0;

const timer = setInterval(() => {
  const due = Math.floor(((performance.now() - startedAt) * Number(pace)) / 1000);
  // After a pause of our own, what was missed is not made up for at once: that would be a burst.
  sent = Math.max(sent, due - 5);
  for (; sent < due; sent++) {
    const at = performance.now();
    redis.get(key).then(() => latencies.push(Math.round((performance.now() - at) * 1000)));
  }
}, 1);

await new Promise((resolve) => process.stdin.once('data', resolve));
clearInterval(timer);
await redis.ping();
redis.disconnect();
process.stdout.write(JSON.stringify(latencies));
process.stdin.destroy();
