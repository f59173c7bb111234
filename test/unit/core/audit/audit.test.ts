import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { auditNode, NODE_RULES, STAGE_RULES } from '../../../../core/audit/audit.ts';
import { diagnose } from '../../../../core/diagnosis/diagnose.ts';
import { aNodeFacts } from '../../../support/audit.ts';
import { aMemorySample, anInstance, anObservation } from '../../../support/builders.ts';
import { lookAtReport } from '../../../support/reports.ts';

const FIXTURES = join(import.meta.dirname, '../../../fixtures');

const PAGE = readFileSync(new URL('../../../../docs/audit.md', import.meta.url), 'utf8');

test('a node that is well kept has no finding, and each rule answers', () => {
  const answers = auditNode(aNodeFacts());
  expect(answers.map(({ rule }) => rule)).toEqual(NODE_RULES.map(({ id }) => id));
  expect(answers.filter(({ answer }) => answer.kind === 'finding')).toEqual([]);
});

test('a server that reports nothing is unknown, and nothing is claimed of it', () => {
  const facts = aNodeFacts({ inquiry: { settings: undefined as never, rights: {}, waits: [] } });
  const bare = {
    ...facts,
    diagnosis: { reclaimable: facts.diagnosis.reclaimable, prospects: facts.diagnosis.prospects, findings: [] },
    observation: { ...facts.observation, memory: {}, refused: [] },
  };
  const kinds = auditNode(bare).map(({ rule, answer }) => `${rule}: ${answer.kind}`);
  expect(kinds.filter((text) => text.endsWith('finding'))).toEqual([]);
  expect(kinds).toEqual(
    expect.arrayContaining(['near-limit: unknown', 'maxmemory: unknown', 'fragmentation: unknown']),
  );
});

const INFOS = globSync(['info/*.txt', 'reports/*.info'], { cwd: FIXTURES }).toSorted();

describe('every captured INFO, with what is refused around it,', () => {
  test.each(INFOS)('is judged without a gap in a sentence: %s', async (file) => {
    const { seen, answers } = await judged(file);
    const text = JSON.stringify(answers);
    expect(text).not.toMatch(/NaN|undefined|Infinity|null|\[object/);
    expect(answers.map(({ rule }) => rule)).toEqual(NODE_RULES.map(({ id }) => id));
    // What Offpeak only watches is never advised to switch something on.
    if (seen.engine.name === 'unknown') expect(text).not.toMatch(/CONFIG SET|activedefrag yes/);
  });

  async function judged(file: string) {
    const info = readFileSync(join(FIXTURES, file), 'utf8');
    const seen = await lookAtReport(info, 'refused').catch(() => undefined);
    // A Sentinel is not audited at all.
    const observation = seen ?? anObservation();
    const instance = anInstance({ windows: [] });
    const diagnosis = diagnose(observation, instance, {}, { byAction: {} });
    const facts = {
      ...aNodeFacts({ isConfigured: false, instance }),
      observation,
      diagnosis,
      inquiry: { rights: {}, waits: [] },
    };
    return { seen: observation, answers: auditNode(facts) };
  }
});

test('each rule has its row in docs/audit.md, with the same words', () => {
  const rows = [...PAGE.matchAll(/^\| `([a-z-]+)` \| ([^|]+) \|/gm)].map(([, id, title]) => `${id}: ${title?.trim()}`);
  expect(rows).toEqual([...NODE_RULES, ...STAGE_RULES].map(({ id, title }) => `${id}: ${title}`));
  expect(new Set(rows).size).toBe(rows.length);
});

test("MEMORY DOCTOR refers to the rule that judges the same, so it comes last of a node's rules", () => {
  const memory = aMemorySample();
  const [last] = auditNode(aNodeFacts({ memory, inquiry: { doctor: ['High allocator fragmentation'] } })).slice(-1);
  expect(last?.rule).toBe('doctor');
  expect(JSON.stringify(last?.answer)).toContain('see the rule fragmentation');
});
