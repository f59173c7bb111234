import { afterAll, expect, vi } from 'vitest';

/**
 * The test files of one worker share its process and its modules (`isolate: false`). So each of them leaves the process as it has found it:
 * what it stubs is put back here, and a variable or a working folder that it has changed otherwise fails it.
 */
const before = environment();
const folder = process.cwd();

afterAll(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  vi.useRealTimers();
  expect({ environment: environment(), folder: process.cwd() }).toEqual({ environment: before, folder });
});

/** Powertools names itself to the SDK once, when a test loads it first. */
function environment(): NodeJS.ProcessEnv {
  const { AWS_SDK_UA_APP_ID: _, ...others } = process.env;
  return others;
}
