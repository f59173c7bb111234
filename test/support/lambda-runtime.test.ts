import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWithRic } from './artefact.ts';
import { type LambdaFunction, startFunction } from './lambda-runtime.ts';

const CODE = `
let beats = 0;
setInterval(() => { beats += 1; }, 5);
const deeds = {
  echo: async (event, context) => ({ event, left: context.getRemainingTimeInMillis(), id: context.awsRequestId }),
  beats: async () => beats,
  env: async () => process.env,
  cwd: async () => process.cwd(),
  fail: async () => { throw new RangeError('as told'); },
  hang: () => new Promise(() => {}),
  block: async () => { for (;;) {} },
  reject: () => { void Promise.reject(new RangeError('stray')); return new Promise(() => {}); },
  exit: async () => process.exit(3),
  say: async () => { console.log('first'); console.error('second'); },
};
export const handler = async (event, context) => deeds[event.deed](event, context);
`;

describeWithRic('a function in the runtime', (ric) => {
  const folder = mkdtempSync(join(tmpdir(), 'offpeak-package-'));
  let fn: LambdaFunction;
  const start = (handler = 'index.handler') =>
    startFunction(ric, { zip: folder, handler, env: { OWN: 'a "b"\nc' }, timeoutMs: 2_000, memory: 256 });
  beforeAll(async () => {
    writeFileSync(join(folder, 'index.mjs'), CODE);
    writeFileSync(join(folder, 'broken.mjs'), 'throw new TypeError("not today");');
    writeFileSync(join(folder, 'wrong.mjs'), 'export const handler = ;');
    fn = await start();
  });
  afterAll(async () => {
    await fn?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  test('gets its event, a request id and its time, and its answer comes back', async () => {
    const event = { deed: 'echo', text: 'ä " \n 🎉' };
    const run = await fn.invoke(event);
    expect(run).toMatchObject({ ok: true, payload: { event, id: expect.stringMatching(/^[\da-f-]{36}$/) } });
    const left = run.ok ? (run.payload as { left: number }).left : 0;
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(2_000);
  });

  test('sees what was deployed with it and what Lambda sets, and nothing of this process', async () => {
    process.env.OF_THE_TESTS = 'leaked';
    await using other = await start();
    const { payload } = (await other.invoke({ deed: 'env' })) as { readonly payload?: Record<string, string> };
    delete process.env.OF_THE_TESTS;
    expect(payload).toMatchObject({ OWN: 'a "b"\nc', AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256', TZ: ':UTC' });
    expect(payload).not.toHaveProperty('OF_THE_TESTS');
    expect(payload).not.toHaveProperty('HOME');
    expect(await other.invoke({ deed: 'cwd' })).toMatchObject({ payload: other.taskRoot });
  });

  test('is one container for many invocations, frozen between them', async () => {
    const starts = fn.starts();
    const beats = async () => Number(((await fn.invoke({ deed: 'beats' })) as { payload?: unknown }).payload);
    const before = await beats();
    await new Promise((resolve) => setTimeout(resolve, 500));
    // Awake it would have counted a hundred.
    expect((await beats()) - before).toBeLessThan(50);
    expect(fn.starts()).toBe(starts);
  });

  test('what it writes belongs to its invocation', async () => {
    const { logs } = await fn.invoke({ deed: 'say' });
    expect(logs).toMatch(/\tINFO\tfirst\n.*\tERROR\tsecond\n$/);
    expect((await fn.invoke({ deed: 'beats' })).logs).toBe('');
  });

  test('that throws tells type, message and trace, and lives on', async () => {
    const starts = fn.starts();
    const run = await fn.invoke({ deed: 'fail' });
    expect(run).toMatchObject({ ok: false, error: { errorType: 'RangeError', errorMessage: 'as told' } });
    expect(run.ok ? [] : run.error.trace?.slice(0, 2)).toEqual(['RangeError: as told', expect.stringContaining('at ')]);
    await fn.invoke({ deed: 'beats' });
    expect(fn.starts()).toBe(starts);
  });

  test.each([
    ['hang', 'Sandbox.Timedout', /^RequestId: [\da-f-]{36} Error: Task timed out after 2\.00 seconds$/],
    ['block', 'Sandbox.Timedout', /Task timed out after 2\.00 seconds$/],
    ['exit', 'Runtime.ExitError', /^RequestId: [\da-f-]{36} Error: Runtime exited with error: exit status 3$/],
    ['reject', 'Runtime.ExitError', /Runtime exited with error: exit status 1$/],
  ])('whose handler would %s loses its container, and the next invocation has a new one', async (deed, type, words) => {
    await fn.invoke({ deed: 'beats' });
    const starts = fn.starts();
    const run = await fn.invoke({ deed });
    expect(run).toMatchObject({ ok: false, error: { errorType: type, errorMessage: expect.stringMatching(words) } });
    expect(await fn.invoke({ deed: 'echo' })).toMatchObject({ ok: true, initMs: expect.any(Number) });
    expect(fn.starts()).toBe(starts + 1);
  });

  test.each([
    ['broken.handler', 'TypeError', 'not today'],
    ['wrong.handler', 'Runtime.UserCodeSyntaxError', "SyntaxError: Unexpected token ';'"],
    ['none.handler', 'Runtime.ImportModuleError', "Error: Cannot find module 'none'"],
    ['index.none', 'Runtime.HandlerNotFound', 'index.none is undefined or not exported'],
  ])('that cannot start, %s, says why, each time anew', async (handler, errorType, words) => {
    await using broken = await start(handler);
    for (const starts of [1, 2]) {
      const run = await broken.invoke({});
      expect(run).toMatchObject({ ok: false, error: { errorType, errorMessage: expect.stringContaining(words) } });
      expect(broken.starts()).toBe(starts);
    }
  });
});
