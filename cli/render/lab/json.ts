import { isoText } from '../../../core/format/units.ts';
import { OF_THE_ARTICLE } from '../../lab/trial/arms.ts';
import {
  type ArmResult,
  type Reading,
  ratioOf,
  returnedBy,
  shareOfRestart,
  type TrialResult,
} from '../../lab/trial/result.ts';
import { JSON_SCHEMA } from '../json.ts';
import { armText } from './words.ts';

/** `lab --json`: one line. docs/cli-json.md lists every field. */
export function trialJson(result: TrialResult): string {
  const { recipe, title, server, scale, seed, at, lasted, clock, table, arms, failed } = result;
  return JSON.stringify({
    schema: JSON_SCHEMA,
    ...{ at: isoText(at), recipe, title, server, scale, seed, clock, lasted: Math.round(lasted) },
    table: table && {
      title: table.title,
      clock: table.clock,
      moments: table.moments.map(({ when, reading }) => ({ when, ...readingDocument(reading) })),
    },
    arms: arms.map((arm) => armDocument(arm, arms)),
    failed: failed.length === 0 ? undefined : failed,
  });
}

function armDocument(result: ArmResult, arms: readonly ArmResult[]) {
  const { arm, before, after, seconds, cpu, ended, predicted, full, isMallocConfRead } = result;
  return {
    arm,
    text: armText(result, arms),
    before: readingDocument(before),
    after: readingDocument(after),
    returned: returnedBy(result),
    shareOfRestart: OF_THE_ARTICLE.includes(arm) ? undefined : shareOfRestart(result, arms),
    lasted: Math.round(seconds * 1000),
    cpu: Math.round(cpu * 1000),
    ended,
    predicted,
    full: full && readingDocument(full),
    mallocConfRead: isMallocConfRead,
  };
}

function readingDocument(reading: Reading) {
  const { keys, used, rss, layers } = reading;
  const { allocated, externalFragmentation, freePages, overhead } = layers;
  return {
    ...{ keys, used, rss, ratio: ratioOf(reading) },
    layers: { data: allocated, fragmentation: externalFragmentation, freePages, overhead },
  };
}
