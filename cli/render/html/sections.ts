import { bytesText, sentence, timeText } from '../../../core/format/units.ts';
import { ARMS } from '../../lab/trial/arms.ts';
import { type AuditDocument, type KeysDocument, type LabDocument, layersOf } from '../../report/documents.ts';
import { barsMarkup } from './bars.ts';
import { count, itemsMarkup, labelOf, namesOf, withoutNode } from './items.ts';
import { html, type Markup } from './page.ts';

const SEVERITIES = ['critical', 'warning', 'advice'];

/** The findings of an audit, the gravest first; what several nodes have in common is said once. */
export function auditSection({ at, answers, nodes, totals }: AuditDocument, timezone: string): Markup {
  const all = [{ instance: 'stage', node: '', answers }, ...nodes].flatMap(({ answers: given, ...where }) =>
    given.map((one) => ({ ...one, ...where, text: one.evidence ?? '' })),
  );
  const found = all.filter(({ answer }) => answer === 'finding');
  const sorted = found.toSorted((a, b) => SEVERITIES.indexOf(a.severity ?? '') - SEVERITIES.indexOf(b.severity ?? ''));
  const groups = Map.groupBy(
    sorted,
    (one) => `${one.rule}: ${sentence(withoutNode(one))} ${sentence(one.remedy ?? '')}`,
  );
  const items = [...groups].flatMap(([text, [first, ...others]]) =>
    first
      ? [
          {
            name: `${first.severity}: ${first.rule}`,
            text: `${namesOf([first, ...others])}: ${text.slice(first.rule.length + 2)}`,
          },
        ]
      : [],
  );
  const said =
    found.length === 0
      ? 'nothing is wrong.'
      : `${totals.critical} critical, ${count(totals.warning, 'warning')}, ${totals.advice} advice.`;
  return html`<section><h2>Audit</h2><p class="faint">${count(nodes.length, 'node')}, ${timeText(Date.parse(at), { timezone })}</p>
<p><strong>${sentence(said)}</strong></p>${itemsMarkup(items)}</section>`;
}

/** What patterns of keys would take less otherwise, the most bytes first; and which nodes were not sampled. */
export function keysSection({ at, nodes }: KeysDocument, timezone: string): Markup {
  const failed = nodes.flatMap(({ problem, ...one }) => (problem === undefined ? [] : [{ ...one, text: problem }]));
  const found = nodes
    .flatMap(({ findings, ...where }) => findings.map((one) => ({ ...where, ...one })))
    .toSorted((a, b) => b.bytes.value - a.bytes.value);
  const items = [
    ...[...Map.groupBy(failed, withoutNode)].map(([text, those]) => ({ name: namesOf(those), text: sentence(text) })),
    ...found.map(({ pattern, bytes, text, remedy, ...where }) => ({
      name: `${labelOf(where)}: ${pattern}: ${bytesText(bytes.value)} (${bytesText(bytes.low)} to ${bytesText(bytes.high)})`,
      text: `${sentence(text)} ${sentence(remedy)}`,
    })),
  ];
  const missing = failed.length > 0 ? `${count(failed.length, 'node')} could not be sampled.` : undefined;
  return html`<section><h2>Keys</h2><p class="faint">${count(nodes.length, 'node')}, ${timeText(Date.parse(at), { timezone })}</p>
<p>${found.length === 0 ? 'No pattern of keys that was seen would take less otherwise.' : undefined} ${missing}</p>${itemsMarkup(items)}</section>`;
}

/** What each arm of the lab left, and what it did. */
export function labSection({ title, arms }: LabDocument): Markup {
  const bars = arms.map(({ arm, after }) => {
    const label = nameOfArm(arm);
    return { label, layers: layersOf(after.layers), note: bytesText(after.rss) };
  });
  return html`<section><h2>Lab: ${title}</h2>${barsMarkup('RSS at rest', bars)}
<dl>${arms.map(({ arm, text }) => html`<dt>${nameOfArm(arm)}</dt><dd>${text}</dd>`)}</dl></section>`;
}

/** An arm of a newer version keeps the name that it has on the command line. */
function nameOfArm(arm: string): string {
  return new Map<string, string>(Object.entries(ARMS)).get(arm) ?? arm;
}
