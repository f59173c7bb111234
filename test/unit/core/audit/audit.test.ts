import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { auditNode, NODE_RULES, STAGE_RULES } from '../../../../core/audit/audit.ts';
import { aNodeFacts } from '../../../support/audit.ts';
import { aMemorySample } from '../../../support/builders.ts';

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
