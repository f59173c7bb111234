import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SQSRecord } from 'aws-lambda';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ENVIRONMENT } from '../../../../core/config/environment.ts';
import { contextOf } from '../../../support/lambda.ts';

const CONFIG = 'fleet: { queue: always }\ninstances: [{ id: sessions, url: "redis://127.0.0.1:1" }]\n';

let folder: string;
let logs: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'offpeak-work-'));
  const configFile = join(folder, 'test.yml');
  writeFileSync(configFile, CONFIG);
  logs = [];
  vi.resetModules();
  // With POWERTOOLS_DEV the logger writes to the console that can be listened to, not to the process' own streams.
  vi.stubEnv('POWERTOOLS_DEV', 'true');
  vi.stubEnv('AWS_REGION', 'eu-west-1');
  vi.stubEnv(ENVIRONMENT.stage, 'test');
  vi.stubEnv(ENVIRONMENT.alertTopicArn, 'arn:aws:sns:eu-west-1:123456789012:alerts');
  vi.stubEnv(ENVIRONMENT.configFile, configFile);
  vi.stubEnv(ENVIRONMENT.stateFile, join(folder, 'state.db'));
  for (const level of ['info', 'warn', 'error', 'debug'] as const)
    vi.spyOn(console, level).mockImplementation((line) => void logs.push(String(line)));
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** It is for the workers of another stage, so that it is dropped. */
const elsewhere = (number: number) =>
  JSON.stringify({ schema: 1, stage: 'other', at: Date.now(), number, nodes: 1, instances: [{ id: 'sessions' }] });
const record = (messageId: string, body: string): SQSRecord => ({
  ...{ messageId, body, receiptHandle: 'r', messageAttributes: {}, md5OfBody: '' },
  ...{ eventSource: 'aws:sqs', eventSourceARN: 'arn:aws:sqs:eu-west-1:123456789012:batches', awsRegion: 'eu-west-1' },
  attributes: {
    ...{ ApproximateReceiveCount: '1', ApproximateFirstReceiveTimestamp: '0' },
    ...{ SenderId: 'dispatch', SentTimestamp: '0' },
  },
});
const invoked = async (...Records: readonly SQSRecord[]) => {
  const { handler } = await import('../../../../functions/work/handler.ts');
  return await handler({ Records: [...Records] }, contextOf());
};

test('of several messages, one that fails is the only one that is not deleted', async () => {
  const answer = await invoked(
    record('one', elsewhere(0)),
    record('bad', '{"of": "secret-of-another"}'),
    record('two', elsewhere(1)),
  );
  expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'bad' }] });
  expect(logs.filter((line) => line.includes('batch not checked'))).toHaveLength(2);
  expect(logs.filter((line) => line.includes('batch failed') && line.includes('"bad"'))).toHaveLength(1);
  expect(logs.join()).not.toContain('secret-of-another');
});

test('where none fails, all are deleted', async () => {
  expect(await invoked(record('one', elsewhere(0)))).toEqual({ batchItemFailures: [] });
});

test('one that is alone and fails, fails the invocation', async () => {
  await expect(invoked(record('bad', 'nothing'))).rejects.toThrow(/All records failed/);
});
