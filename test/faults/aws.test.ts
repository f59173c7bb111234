import { describe, expect, test } from 'vitest';
import { settingsOf } from '../support/fragmented.ts';
import { describeWithMoto } from '../support/moto.ts';
import { lacksServer } from '../support/servers.ts';
import { deployedPlace, KINDS, NAMES } from './aws-scene.ts';
import { faultTable } from './table.ts';

const SINKS = (['CloudWatch', 'SNS'] as const).flatMap((service) => KINDS.map((kind) => ({ service, kind })));

const table = faultTable(import.meta.filename);

describeWithMoto('metrics and alerts that fail', () => {
  describe.skipIf(lacksServer('defrag') || lacksServer('plain'))('around a defrag', () => {
    const here = deployedPlace();
    const fails = ({ service, kind }: (typeof SINKS)[number]) =>
      here().aws.proxy.fault({ operation: service === 'SNS' ? 'Publish' : 'PutMetricData', kind });

    const untold = SINKS.map((sink) => ({
      ...sink,
      starts: table.row(`${sink.service} ${NAMES[sink.kind]} as a defrag starts`),
      ends: table.row(`${sink.service} ${NAMES[sink.kind]} as a defrag ends`),
    }));
    test.for(untold)('$service: $kind, as a defrag starts', async ({ starts, ...sink }) => {
      await using scene = await here().aDeployedScene();
      fails(sink);
      await here().cleaned(scene, starts, await scene.tick());
    });

    test.for(untold)('$service: $kind, as a defrag ends', async ({ ends, ...sink }) => {
      await using scene = await here().aDeployedScene();
      await scene.start();
      await scene.pause();
      scene.pass(60_000);
      fails(sink);
      const outcome = await scene.tick();
      expect(await settingsOf(here().place.redis)).toEqual(here().before);
      await here().cleaned(scene, ends, outcome);
    });
  });
});
