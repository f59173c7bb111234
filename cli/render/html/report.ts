import {
  bytesText,
  durationText,
  isoText,
  percentText,
  ratioText,
  sentence,
  timeText,
} from '../../../core/format/units.ts';
import { ARMS } from '../../lab/trial/arms.ts';
import type { AuditDocument, Documents, KeysDocument, LabDocument, StepDocument } from '../../report/documents.ts';
import { isBroken, type Night, type NodeNight, type Span, totalsOf } from '../../report/night.ts';
import { barsMarkup } from './bars.ts';
import { html, type Markup, page, tableMarkup } from './page.ts';
import { type Row, timelineMarkup } from './timeline.ts';

/** What the pages need beside the documents. */
export interface ReportTerms {
  /** Of the times: an IANA zone. */
  readonly timezone: string;
  /** When the window of an instance was open; empty without a config. */
  readonly windowsOf: (instance: string, during: Span) => readonly Span[];
}

/** Nodes in pictures: of more, the table has all. */
const MOST_DRAWN = 24;

/** One self-contained HTML file of all documents. */
export function reportPage(night: Night | undefined, { audits, keys, labs }: Documents, terms: ReportTerms): string {
  const title = night ? `Offpeak: stage ${night.stage}` : labs.length > 0 ? 'Offpeak: lab' : 'Offpeak: report';
  const body = html`<h1>${title}</h1>
${night && nightSections(night, terms)}
${audits.map((audit) => auditSection(audit))}
${keys.map((document) => keysSection(document))}
${labs.map((lab) => labSection(lab))}
<p class="faint">Written by Offpeak. Bytes are those of the server's process (RSS); a promise of a stall is kept when clients waited no longer in 99.9 % of the time of a defrag.</p>`;
  return page(title, body);
}

function nightSections(night: Night, terms: ReportTerms): Markup {
  const { nodes, from, until } = night;
  const during = `${timeText(from, { timezone: terms.timezone })} to ${timeText(until, { timezone: terms.timezone })}`;
  const drawn = nodes.slice(0, MOST_DRAWN);
  const acting = drawn.filter(({ actions, spans }) => actions.length + spans.length > 0);
  return html`<p class="faint">${night.ticks === 1 ? timeText(from, { timezone: terms.timezone }) : `${during}, ${night.ticks} ticks`}</p>
<section><h2>In short</h2>${summary(night)}</section>
${acting.length > 0 && night.ticks > 1 ? html`<section><h2>The night</h2>${timelineMarkup(rowsOf(acting, night, terms), night, terms.timezone)}</section>` : undefined}
<section><h2>Memory, before and after</h2>${barsMarkup('RSS of each node', drawn.flatMap(memoryBars))}
<p>A restart with the same data would leave data and overhead only.</p></section>
${acting.length > 0 ? html`<section><h2>What was done</h2>${actionTable(acting)}</section>` : undefined}
<section><h2>What to do</h2>${findings(night)}</section>
<section><h2>All nodes</h2>${nodeTable(nodes)}</section>`;
}

function summary(night: Night): Markup {
  const { actions, acted, returned, predicted, broken, unseen, returnable } = totalsOf(night);
  const what =
    actions === 0
      ? `${count(night.nodes.length, 'node')} checked. Nothing was done.`
      : `${count(acted, 'node')} of ${night.nodes.length} treated: ${bytesText(returned)} returned of ${bytesText(predicted)} predicted${predicted > 0 ? ` (${percentText((returned / predicted) * 100)})` : ''}.`;
  const promise =
    actions === 0
      ? undefined
      : broken === 0
        ? 'Each promise of a stall was kept.'
        : `${count(broken, 'promise')} of a stall not kept: see the table.`;
  const rest =
    returnable > 0 ? `${bytesText(returnable)} could still be returned.` : 'Nothing more is worth an action.';
  const missing = unseen > 0 ? `${count(unseen, 'node')} could not be seen: see below.` : undefined;
  return html`<p><strong>${what}</strong> ${promise} ${rest} ${missing}</p>`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function rowsOf(nodes: readonly NodeNight[], night: Night, { windowsOf }: ReportTerms): readonly Row[] {
  return nodes.map(({ actions, spans, node, instance }) => ({
    ...{ label: labelOf({ node, instance }), actions, spans, windows: windowsOf(instance, night) },
  }));
}

function labelOf({ instance, node }: Pick<NodeNight, 'instance' | 'node'>): string {
  return `${instance} ${node}`.length > 34 ? node : `${instance} ${node}`;
}

function memoryBars({ first, last, actions, ...node }: NodeNight) {
  const bar = (step: StepDocument | undefined, when: string) => {
    const layers = step?.diagnosis?.layers;
    if (!layers) return [];
    const { data, fragmentation, freePages, overhead } = layers;
    const note = `${bytesText(data + fragmentation + freePages + overhead)} ${when}`;
    return [
      {
        label: labelOf(node),
        layers: { allocated: data, externalFragmentation: fragmentation, freePages, overhead },
        note,
      },
    ];
  };
  return actions.length > 0 ? [...bar(first, 'before'), ...bar(last, 'after')] : bar(last, '');
}

function actionTable(nodes: readonly NodeNight[]): Markup {
  const head = ['Node', 'Action', 'Ended', 'RSS', 'Returned', 'Predicted', 'Longest wait', 'Promised', 'Kept'];
  const rows = nodes.flatMap(({ actions, ...node }) =>
    actions.map(({ at, verdict }) => [
      labelOf(node),
      verdict.action,
      isoText(at).slice(11, 19),
      `${bytesText(verdict.rssBefore)} → ${bytesText(verdict.rssAfter)}`,
      bytesText(verdict.reclaimed),
      bytesText(verdict.predicted),
      durationText(verdict.stall),
      durationText(verdict.promisedStall),
      isBroken(verdict) ? 'no' : 'yes',
    ]),
  );
  return html`${tableMarkup('What was done', head, rows)}<p class="faint">Times of this table are in UTC. What a defrag returned includes the purge that follows it.</p>`;
}

/** Each sentence once, with the nodes that it is about. */
function findings({ nodes, remarks, alerts }: Night): Markup {
  const urgent = alerts.filter(({ severity }) => severity !== 'info');
  const said = nodes.flatMap(({ last, problem, ...node }) => {
    const found = last?.diagnosis?.verdict === 'findings' ? last.diagnosis.findings.map(({ text }) => text) : [];
    return [...(problem === undefined ? [] : [problem]), ...found].map((text) => ({ text, label: labelOf(node) }));
  });
  const items = [...Map.groupBy(said, ({ text }) => text)].map(
    ([text, those]) => html`<dt>${namesOf(those.map(({ label }) => label))}</dt><dd>${sentence(text)}</dd>`,
  );
  if (items.length + remarks.length + urgent.length === 0) return html`<p>Nothing: each node is healthy.</p>`;
  return html`${urgent.length > 0 ? html`<ul>${urgent.map(({ severity, title }) => html`<li><strong>${severity}</strong>: ${title}</li>`)}</ul>` : undefined}
<dl>${remarks.map((remark) => html`<dt>Stage</dt><dd>${remark}</dd>`)}${items}</dl>`;
}

const MOST_NAMED = 5;

function namesOf(labels: readonly string[]): string {
  const more = labels.length - MOST_NAMED;
  return `${labels.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function nodeTable(nodes: readonly NodeNight[]): Markup {
  const head = ['Node', 'Role', 'Engine', 'RSS', 'Used', 'Ratio', 'Of limit', 'Returnable', 'By'];
  const rows = nodes.map(({ last, problem, ...node }) => {
    const { rss, used, ratio, limit } = last?.memory ?? {};
    const cell = (value: number | undefined, say: (value: number) => string) => ({
      ...{ text: value === undefined ? '' : say(value), value },
    });
    return [
      labelOf(node),
      last?.role ?? '',
      last?.engine ? `${last.engine.name} ${last.engine.version}` : '',
      cell(rss, bytesText),
      cell(used, bytesText),
      cell(ratio, ratioText),
      cell(rss && limit && (rss / limit) * 100, percentText),
      cell(last?.returnable, bytesText),
      problem === undefined ? (last?.by ?? '') : 'not seen',
    ];
  });
  return tableMarkup('All nodes', head, rows, { sorts: true });
}

const SEVERITIES = ['critical', 'warning', 'advice'];

function auditSection({ answers, nodes, totals }: AuditDocument): Markup {
  const all = [
    ...answers.map((one) => ({ ...one, where: 'stage' })),
    ...nodes.flatMap((node) => node.answers.map((one) => ({ ...one, where: labelOf(node) }))),
  ].filter(({ answer }) => answer === 'finding');
  const sorted = all.toSorted((a, b) => SEVERITIES.indexOf(a.severity ?? '') - SEVERITIES.indexOf(b.severity ?? ''));
  const byText = Map.groupBy(sorted, ({ evidence = '', remedy = '' }) => `${sentence(evidence)} ${sentence(remedy)}`);
  return html`<section><h2>Audit</h2><p>${totals.critical} critical, ${totals.warning} warning, ${totals.advice} advice.</p>
<dl>${[...byText].map(([text, [first, ...others]]) => first && html`<dt>${first.severity}: ${first.rule}</dt><dd>${namesOf([first, ...others].map(({ where }) => where))}: ${text}</dd>`)}</dl></section>`;
}

function keysSection({ nodes }: KeysDocument): Markup {
  const found = nodes.flatMap(({ findings: all, ...node }) => all.map((one) => ({ ...one, where: labelOf(node) })));
  return html`<section><h2>Keys</h2>${found.length === 0 ? html`<p>No pattern of keys would take less otherwise.</p>` : undefined}
<dl>${found.map(({ where, pattern, bytes, text, remedy }) => html`<dt>${where}: ${pattern}: ${bytesText(bytes.value)} (${bytesText(bytes.low)} to ${bytesText(bytes.high)})</dt><dd>${sentence(text)} ${sentence(remedy)}</dd>`)}</dl></section>`;
}

function labSection({ title, arms }: LabDocument): Markup {
  const bars = arms.map(({ arm, after }) => {
    const { data, fragmentation, freePages, overhead } = after.layers;
    const layers = { allocated: data, externalFragmentation: fragmentation, freePages, overhead };
    return { label: nameOfArm(arm), layers, note: bytesText(after.rss) };
  });
  return html`<section><h2>Lab: ${title}</h2>${barsMarkup('RSS at rest', bars)}
<dl>${arms.map(({ arm, text }) => html`<dt>${nameOfArm(arm)}</dt><dd>${text}</dd>`)}</dl></section>`;
}

/** An arm of a newer version keeps the name that it has on the command line. */
function nameOfArm(arm: string): string {
  return new Map<string, string>(Object.entries(ARMS)).get(arm) ?? arm;
}
