import { type Answer, type Audited, isFault } from '../../core/domain/audit.ts';
import { isoText } from '../../core/format/units.ts';
import { cleanText } from '../../core/format/wrap.ts';
import type { FleetAudit } from '../../core/reconcile/audit-fleet.ts';
import { changeLines } from './audit.ts';

/**
 * An audit in JUnit's XML: a suite for each node and one for the stage, a case for each rule. Findings of warning and critical are failures; what could
 * not be known, or does not apply, is skipped; advice passes and stands in `system-out`.
 */
export function junitXml({ at, nodes, stage: answers }: FleetAudit, stage: string | undefined): string {
  const suites = [
    ...nodes.map(({ instance, node, answers }) => suite(`${instance} ${node}`, answers, at)),
    ...(stage === undefined ? [] : [suite(`stage ${stage}`, answers, at)]),
  ];
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites name="offpeak audit">',
    ...suites,
    '</testsuites>',
    '',
  ].join('\n');
}

function suite(name: string, answers: readonly Audited[], at: number): string {
  const failures = answers.filter(({ answer }) => isFault(answer)).length;
  const skipped = answers.filter(({ answer }) => answer.kind === 'unknown' || answer.kind === 'not-asked').length;
  const head = `  <testsuite${attributes({ name, tests: answers.length, failures, errors: 0, skipped, timestamp: isoText(at) })}>`;
  return [head, ...answers.map((one) => testCase(name, one)), '  </testsuite>'].join('\n');
}

function testCase(suiteName: string, { rule, title, answer }: Audited): string {
  const head = `    <testcase${attributes({ classname: suiteName, name: `${rule}: ${title}` })}>`;
  return `${head}${verdict(answer)}</testcase>`;
}

function verdict(answer: Answer): string {
  switch (answer.kind) {
    case 'fine':
      return '';
    case 'unknown':
    case 'not-asked':
      return `<skipped${attributes({ message: answer.why })}/>`;
    case 'finding': {
      const { severity, evidence, remedy, changes = [] } = answer;
      const text = escaped([evidence, remedy, ...changes.flatMap(changeLines)].join('\n'));
      return isFault(answer)
        ? `<failure${attributes({ type: severity, message: evidence })}>${text}</failure>`
        : `<system-out>${text}</system-out>`;
    }
  }
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
    .join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
};

/** XML 1.0 has no control characters, not even escaped. */
function escaped(text: string): string {
  return cleanText(text).replace(/[&<>"\n]/g, (character) => ENTITIES[character] ?? '');
}
