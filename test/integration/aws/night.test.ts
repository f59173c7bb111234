import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createSinks } from '../../../core/adapters/aws/sinks.ts';
import { flush } from '../../../core/alerts/outbox.ts';
import { ENVIRONMENT } from '../../../core/config/environment.ts';
import { createFileStore } from '../../../core/state/file/file-store.ts';
import { awsEnv } from '../../support/aws-proxy.ts';
import { configOf, configYaml } from '../../support/job.ts';
import { describeWithMoto, lentMoto } from '../../support/moto.ts';
import { createQueue } from '../../support/moto-queue.ts';
import { stormOf, stormOfKind } from '../../support/storm.ts';

describeWithMoto('a night, through SNS over HTTP', () => {
  test('subscribers get warnings at once, infos in one digest, and filters choose by its severity', async () => {
    const moto = await lentMoto();
    onTestFinished(async () => {
      vi.unstubAllEnvs();
      await moto.stop();
    });
    for (const [key, value] of Object.entries(awsEnv(moto.url))) vi.stubEnv(key, value);
    const client = new SNSClient({});
    onTestFinished(() => client.destroy());
    const { TopicArn = '' } = await client.send(new CreateTopicCommand({ Name: 'offpeak-alerts' }));
    const [everything, pressing] = await Promise.all(
      ['everything', 'pressing'].map((name) => createQueue(moto.url, name)),
    );
    const subscribe = async (Endpoint = '', Attributes = {}) =>
      await client.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint, Attributes }));
    await subscribe(everything?.arn);
    await subscribe(pressing?.arn, { FilterPolicy: JSON.stringify({ severity: ['warning', 'critical'] }) });

    const { alerts } = createSinks(
      { ...process.env, [ENVIRONMENT.alertTopicArn]: TopicArn },
      configOf(configYaml(1).replace('never', 'info')),
    );
    const store = createFileStore(join(tmpdir(), `offpeak-night-${randomUUID()}`));
    const clock = { now: Date.now, sleep: async () => {}, pause: async () => {} };
    const log = { info: () => {}, warn: () => {}, error: () => {} };
    const tick = (some: Parameters<typeof flush>[2], isOver: boolean) =>
      flush({ store, clock, log, alerts }, 'tick', some, { isNightOver: () => isOver });
    const warning = stormOf(60)
      .filter(({ severity }) => severity === 'warning')
      .slice(0, 1);

    await tick([...stormOfKind(12, 'a purge that helped'), ...warning], false);
    expect((await everything?.receive())?.map(({ Subject }) => Subject)).toEqual([
      expect.stringMatching(/\(warning\)$/),
    ]);
    await tick([], true);
    await tick([], true);
    const [digest, ...more] = (await everything?.receive()) ?? [];
    expect(more).toEqual([]);
    expect(digest?.Subject).toMatch(
      /^\[offpeak prod\] 13 actions on 12 nodes returned 3\.52 GiB; 1 for a person to look at \(info\)$/,
    );
    expect(JSON.parse(digest?.Message ?? '')).toMatchObject({
      event: 'nightly-digest',
      members: Array.from({ length: 13 }, () => ({ id: expect.any(String) })),
    });
    expect(await pressing?.receive()).toHaveLength(1);
  });
});
