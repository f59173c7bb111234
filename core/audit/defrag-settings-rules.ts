import { type Bytes, MIB, type Milliseconds } from '../config/units.ts';
import { isActiveDefragOn } from '../diagnosis/active-defrag.ts';
import type { Answer } from '../domain/audit.ts';
import { bytesText, durationText } from '../format/units.ts';
import {
  CONFIG_REFUSED,
  figureOf,
  finding,
  fine,
  type NodeFacts,
  notAsked,
  type Rule,
  setting,
  unknown,
} from './facts.ts';

// When active defrag starts, and what a cycle costs clients, where a person has switched it on for good.

export const DEFRAG_SETTINGS_RULES: readonly Rule<NodeFacts>[] = [
  { id: 'defrag-thresholds', title: 'active defrag starts in time', judge: thresholds },
  { id: 'defrag-stall', title: 'a cycle of active defrag keeps clients waiting within the limit', judge: stall },
];

function settingsOf({ observation }: NodeFacts) {
  const settings = observation.defrag.settings ?? {};
  const figure = (name: string) => figureOf(settings[`active-defrag-${name}`]);
  return {
    lower: figure('threshold-lower'),
    upper: figure('threshold-upper'),
    ignore: figure('ignore-bytes'),
    most: figure('cycle-max'),
    least: figure('cycle-min'),
    slice: figure('cycle-us'),
    hz: figureOf(settings.hz),
  };
}

function offOrRefused({ observation, isLeased }: NodeFacts): Answer | undefined {
  if (!isActiveDefragOn(observation) || isLeased)
    return notAsked('active defrag is not on for good; Offpeak sets its own values during a run');
  return observation.defrag.settings === undefined ? unknown(CONFIG_REFUSED) : undefined;
}

/** Default 10: with more, as much of the data is lost before anything happens. */
const LATE_PERCENT = 20;

/** Of what the server may hold. */
const LATE_SHARE = 0.25;

const LEAST_IGNORED: Bytes = 100 * MIB;

function thresholds(facts: NodeFacts): Answer {
  const missing = offOrRefused(facts);
  if (missing) return missing;
  const { lower = 10, upper = 100, ignore = 0 } = settingsOf(facts);
  const seen = `active-defrag-threshold-lower ${lower}, -upper ${upper}, active-defrag-ignore-bytes ${bytesText(ignore)}`;
  if (upper <= lower)
    return finding(
      'critical',
      `${seen}: the server divides by their difference (redis#15513, fixed in Redis 8.10)`,
      'the upper one is where defrag takes all of cycle-max, not where it ends: keep it well above the lower one',
      setting('active-defrag-threshold-upper', '100'),
    );
  if (lower > LATE_PERCENT)
    return finding(
      'warning',
      `${seen}: defrag starts only when ${lower} % of the data are lost`,
      'start at 10 %',
      setting('active-defrag-threshold-lower', '10'),
    );
  const { maxmemory = 0, usedMemory = 0 } = facts.observation.memory;
  const most = maxmemory > 0 ? maxmemory : usedMemory;
  if (ignore > Math.max(LEAST_IGNORED, LATE_SHARE * most))
    return finding(
      'warning',
      `${seen}: this much is lost before defrag starts, of ${bytesText(most)} at most`,
      'let it start at 100 MiB',
      setting('active-defrag-ignore-bytes', '100mb'),
    );
  return fine(seen);
}

/** Redis before 8.0 and Valkey before 8.1 work in one block of each timer tick (defrag.c activeDefragCycle). */
function cycleOf(facts: NodeFacts): Milliseconds {
  const { most = 25, hz = 10, slice = 500 } = settingsOf(facts);
  return facts.observation.engine.slicedDefrag ? slice / 1000 : (most * 10) / hz;
}

/** Beyond so many times the limit it is no longer a matter of taste. */
const FAR_BEYOND = 5;

const QUICK_HZ = 100;

function stall(facts: NodeFacts): Answer {
  const missing = offOrRefused(facts);
  if (missing) return missing;
  const { most = 25, least = 1, hz = 10 } = settingsOf(facts);
  if (least > most)
    return finding(
      'warning',
      `active-defrag-cycle-min is ${least}, above active-defrag-cycle-max of ${most}`,
      'set them in order',
      setting('active-defrag-cycle-min', '1'),
    );
  const [cycle, limit] = [cycleOf(facts), facts.instance.defrag.maxStall];
  const longest = facts.observation.defrag.latency?.max;
  const recorded =
    longest === undefined ? '' : `; the longest that the server has recorded is ${durationText(longest)}`;
  const seen = `active-defrag-cycle-max ${most} at hz ${hz}: clients wait up to ${durationText(cycle)} for a cycle${recorded}`;
  if (cycle <= limit) return fine(seen);
  const isHigh = most > 25;
  return finding(
    cycle > FAR_BEYOND * limit ? 'warning' : 'advice',
    `${seen}, more than maxStall of ${durationText(limit)}`,
    'more and shorter cycles do the same work',
    ...(isHigh ? [setting('active-defrag-cycle-max', '25')] : []),
    ...(hz < QUICK_HZ ? [setting('hz', `${QUICK_HZ}`)] : []),
  );
}
