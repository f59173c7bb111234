import { describe, expect, test } from 'vitest';
import type { FaultKind } from '../support/aws-proxy.ts';
import type { AwsCall } from '../support/aws-wire.ts';
import { settingsOf } from '../support/fragmented.ts';
import { describeWithMoto } from '../support/moto.ts';
import { lacksServer } from '../support/servers.ts';
import { deployedPlace, KINDS, NAMES } from './aws-scene.ts';
import { outcomeOf } from './scene.ts';
import { faultTable } from './table.ts';

/** Of the document in which a start claims its place in the stage. */
const isOfBrakes = ({ input }: AwsCall) => JSON.stringify(input).includes('"brakes"');
/** All that the job asks of the table. */
const TABLE_OPERATIONS = ['Query', 'GetItem', 'UpdateItem'];

const table = faultTable(import.meta.filename);

describeWithMoto('a state table that fails', () => {
  describe.skipIf(lacksServer('defrag') || lacksServer('plain'))('around a defrag', () => {
    const here = deployedPlace();
    const tableFails = (kind: FaultKind) => {
      for (const operation of TABLE_OPERATIONS) here().aws.proxy.fault({ operation, kind });
    };

    const unknown = KINDS.map((kind) => ({
      kind,
      expectRow: table.row(`the state table ${NAMES[kind]} as a defrag would start`),
    }));
    test.for(unknown)('the state table: $kind, as a defrag would start', async ({ kind, expectRow }) => {
      await using scene = await here().aDeployedScene();
      tableFails(kind);
      const outcome = await scene.tick();
      expect(await settingsOf(here().place.redis)).toEqual(here().before);
      await here().cleaned(scene, expectRow, outcome);
    });

    const unwritten = ([...KINDS, 'lost-answer'] as const).map((kind) => ({
      kind,
      expectRow: table.row(`writing to the state table ${NAMES[kind]} as a defrag starts`),
    }));
    test.for(unwritten)('the state table: $kind, from the lease on', async ({ kind, expectRow }) => {
      await using scene = await here().aDeployedScene();
      here().aws.proxy.fault({ operation: 'UpdateItem', kind, when: (call) => !isOfBrakes(call) });
      await here().cleaned(scene, expectRow, await scene.tick());
    });

    const unclaimed = (['error', 'lost-answer'] as const).map((kind) => ({
      kind,
      expectRow: table.row(`writing the brakes to the state table ${NAMES[kind]} as a defrag starts`),
    }));
    test.for(unclaimed)('the state table: $kind, at the claim of the stage', async ({ kind, expectRow }) => {
      await using scene = await here().aDeployedScene();
      here().aws.proxy.fault({ operation: 'UpdateItem', kind, when: isOfBrakes });
      const outcome = await scene.tick();
      expect(await settingsOf(here().place.redis)).toEqual(here().before);
      await here().cleaned(scene, expectRow, outcome);
    });

    const slowStart = table.row(`the state table ${NAMES.slow} as a defrag starts`);
    test('the state table: slow, as a defrag starts', async () => {
      await using scene = await here().aDeployedScene();
      tableFails('slow');
      await here().cleaned(scene, slowStart, await scene.tick());
    });

    const lost = ([...KINDS, 'slow'] as const).map((kind) => ({
      kind,
      expectRow: table.row(`the state table ${NAMES[kind]}, during a defrag`),
    }));
    test.for(lost)('the state table: $kind, while it runs', async ({ kind, expectRow }) => {
      await using scene = await here().aDeployedScene();
      await scene.start();
      scene.pass(60_000);
      tableFails(kind);
      await here().cleaned(scene, expectRow, await scene.tick());
    });

    const slowEnd = table.row(`the state table ${NAMES.slow} as a defrag ends`);
    test('the state table: slow, as a defrag ends', async () => {
      await using scene = await here().aDeployedScene();
      await scene.start();
      await scene.pause();
      scene.pass(60_000);
      tableFails('slow');
      const outcome = await scene.tick();
      expect(await settingsOf(here().place.redis)).toEqual(here().before);
      await here().cleaned(scene, slowEnd, outcome);
    });

    const raced = table.row('two jobs race for the lease in the table');
    test('a lost race', async () => {
      await using scene = await here().aDeployedScene();
      const ticks = await Promise.all(['one', 'another'].map((holder) => scene.job.tick({ holder })));
      const outcomes = ticks.map(outcomeOf);
      expect(outcomes.filter((outcome) => outcome === 'acted: start-defrag')).toHaveLength(1);
      await here().cleaned(scene, raced, 'one acts: start-defrag');
    });
  });
});
