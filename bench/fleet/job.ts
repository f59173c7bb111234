import { performance } from 'node:perf_hooks';
import type { Summary } from '../../core/reconcile/summary.ts';

/**
 * The packaged function in a process of its own: `node job.ts <path of its handler>`. For each message it is invoked once, and answers what
 * that took. Its log goes to its standard output.
 */
export interface Invoked {
  /** Milliseconds. */
  readonly wall: number;
  readonly cpu: number;
  /** The most that the process has held so far, in bytes. */
  readonly rss: number;
  readonly summary: Summary;
}

const { handler } = await import(process.argv[2] ?? '');
process.on('message', async (budget: number) => {
  const [from, before] = [performance.now(), process.cpuUsage()];
  const context = {
    awsRequestId: crypto.randomUUID(),
    functionName: 'bench',
    functionVersion: '1',
    invokedFunctionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:bench',
    memoryLimitInMB: '256',
    getRemainingTimeInMillis: () => budget - (performance.now() - from),
  };
  const summary: Summary = await handler({}, context);
  const { user, system } = process.cpuUsage(before);
  process.send?.({
    summary,
    wall: performance.now() - from,
    cpu: (user + system) / 1000,
    rss: process.resourceUsage().maxRSS * 1024,
  } satisfies Invoked);
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
