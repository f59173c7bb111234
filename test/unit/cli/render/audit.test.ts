import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { auditLines, changeLines, hasFaults } from '../../../../cli/render/audit.ts';
import { auditJson } from '../../../../cli/render/audit-json.ts';
import { junitXml } from '../../../../cli/render/junit.ts';
import { plainPaint } from '../../../../cli/render/style.ts';
import { auditNode } from '../../../../core/audit/audit.ts';
import type { Answer } from '../../../../core/domain/audit.ts';
import type { FleetAudit } from '../../../../core/reconcile/audit-fleet.ts';
import { aNodeFacts } from '../../../support/audit.ts';
import { NODE, NOW } from '../../../support/builders.ts';

const PAGE = readFileSync(new URL('../../../../docs/cli-json.md', import.meta.url), 'utf8');
const STYLE = { paint: plainPaint, unicode: true };
const facts = aNodeFacts();
const kept: FleetAudit = {
  at: NOW,
  isConfigured: true,
  nodes: [{ instance: 'sessions', node: NODE, facts, answers: auditNode(facts) }],
  stage: [],
};

const finding = (severity: 'critical' | 'warning' | 'advice', rule: string) => ({
  rule,
  title: 'all is well',
  answer: {
    kind: 'finding' as const,
    severity,
    evidence: `"1 < 2" & \u001b[31mred`,
    remedy: 'set it',
    changes: [{ kind: 'setting' as const, line: 'hz 100' }],
  },
});
const unknown = {
  rule: 'overcommit',
  title: 'a fork gets its memory',
  answer: { kind: 'unknown', why: 'ask the machine' } as Answer,
};
const faulty: FleetAudit = {
  at: NOW,
  isConfigured: true,
  nodes: [
    { instance: 'sessions', node: NODE, facts, answers: [finding('advice', 'c'), finding('critical', 'a'), unknown] },
  ],
  stage: [finding('warning', 'b')],
};

describe('an audit for a terminal', () => {
  test('a well-kept node is one line', () => {
    expect(auditLines(kept, STYLE, { isFull: false })).toEqual([
      expect.stringMatching(new RegExp(`^sessions ${NODE} \\(redis 7\\.0\\.15\\) is well kept: \\d+ rules hold$`)),
    ]);
    expect(hasFaults(kept)).toBe(false);
  });

  test('findings come by severity, each with what to type', () => {
    const lines = auditLines(faulty, STYLE, { isFull: false });
    expect(lines.filter((line) => /^(critical|warning|advice)$/.test(line))).toEqual(['critical', 'warning', 'advice']);
    expect(lines).toEqual(
      expect.arrayContaining(['    Do: set it', '      CONFIG SET hz 100', '      in redis.conf: hz 100']),
    );
    expect(lines.slice(-2).join(' ').replaceAll('  ', '')).toContain(
      'could not be known: overcommit (--full says why)',
    );
    expect(lines.join('\n')).not.toContain('\u001b');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(hasFaults(faulty)).toBe(true);
  });

  test('what several nodes have in common is said once, with the nodes', () => {
    const fleet = (count: number): FleetAudit => ({
      ...kept,
      nodes: Array.from({ length: count }, (_, n) => ({
        instance: `carts-${n}`,
        node: NODE,
        facts,
        answers: [finding('warning', 'a'), ...(n === 0 ? [finding('warning', 'b')] : [])],
      })),
    });
    const textOf = (count: number, isFull = false) =>
      auditLines(fleet(count), STYLE, { isFull })
        .filter((line) => !line.includes('has 1 finding'))
        .join('\n');
    expect(textOf(3).match(/ {2}a {2}/g)).toHaveLength(1);
    expect(textOf(3)).toContain(`  a  3 nodes\n    carts-0 ${NODE}, carts-1 ${NODE}, carts-2 ${NODE}\n`);
    expect(textOf(3)).toContain(`  b  carts-0 ${NODE}\n`);
    expect(textOf(40).replaceAll(/\s+/g, ' ')).toContain(`carts-11 ${NODE} and 28 more (--full names them)`);
    expect(textOf(40)).not.toContain('carts-12 ');
    expect(textOf(40, true).replaceAll(/\s+/g, ' ')).toContain(`carts-39 ${NODE}`);
  });

  test('--full has every answer', () => {
    const text = auditLines(kept, STYLE, { isFull: true }).join('\n');
    for (const { rule } of kept.nodes[0]?.answers ?? []) expect(text).toContain(`    ${rule}: `);
  });

  test('advice is not a fault', () => {
    expect(hasFaults({ ...kept, stage: [finding('advice', 'c')] })).toBe(false);
  });

  test.each([
    ['config', "in Offpeak's config: x"],
    ['environment', "in the server's environment: x"],
    ['machine', 'on its machine: x'],
    ['acl', 'x'],
  ] as const)('a change of the kind %s', (kind, line) => expect(changeLines({ kind, line: 'x' })).toEqual([line]));
});

describe('for scripts', () => {
  test('JSON: one line, each field documented', () => {
    const text = auditJson(faulty, 'prod');
    const document = JSON.parse(text);
    expect(text).not.toContain('\n');
    expect(document.totals).toEqual({ critical: 1, warning: 1, advice: 1, fine: 0, unknown: 1 });
    expect(document.nodes[0].answers[1]).toMatchObject({ rule: 'a', answer: 'finding', severity: 'critical' });
    const keys = new Set(
      JSON.stringify(document)
        .match(/"(\w+)":/g)
        ?.map((key) => key.slice(1, -2)),
    );
    for (const key of keys) expect(PAGE).toMatch(new RegExp(`\`([\\w.]*\\.)?${key}\``));
  });

  test('JUnit: a failure for each fault, skipped where it could not be known, and well-formed whatever a server says', () => {
    const xml = junitXml(faulty, 'prod');
    expect(xml).toContain(`<testsuite name="sessions ${NODE}" tests="3" failures="1" errors="0" skipped="1"`);
    expect(xml).toContain('<failure type="critical" message="&quot;1 &lt; 2&quot; &amp; [31mred">');
    expect(xml).toContain('<system-out>');
    expect(xml).toContain('<testsuite name="stage prod" tests="1" failures="1"');
    expect(
      xml.replace(/<\/?[a-z-]+( [a-z]+="[^"<]*")*\/?>/g, '').replace('<?xml version="1.0" encoding="UTF-8"?>', ''),
    ).not.toMatch(/[<>]/);
  });
});
