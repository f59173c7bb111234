import { performance } from 'node:perf_hooks';

/**
 * The packaged function in a process of its own: `node job.ts <path of its handler>`. For each message it is invoked once, and answers what
 * that took. Its log goes to its standard output.
 */
export interface Invocation {
  /** Milliseconds. */
  readonly budget: number;
  readonly event: unknown;
}

export interface Invoked<Answer> {
  /** Milliseconds. */
  readonly wall: number;
  readonly cpu: number;
  /** The most that the process has held so far, in bytes. */
  readonly rss: number;
  /** The function's own. */
  readonly answer: Answer;
}

const { handler } = await import(process.argv[2] ?? '');
process.on('message', async ({ budget, event }: Invocation) => {
  const [from, before] = [performance.now(), process.cpuUsage()];
  const context = {
    awsRequestId: crypto.randomUUID(),
    functionName: 'bench',
    functionVersion: '1',
    invokedFunctionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:bench',
    memoryLimitInMB: '256',
    getRemainingTimeInMillis: () => budget - (performance.now() - from),
  };
  const answer: unknown = await handler(event, context);
  const { user, system } = process.cpuUsage(before);
  process.send?.({
    answer,
    wall: performance.now() - from,
    cpu: (user + system) / 1000,
    rss: process.resourceUsage().maxRSS * 1024,
  } satisfies Invoked<unknown>);
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
