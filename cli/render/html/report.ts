import { bytesText, durationText, percentText, ratioText, sentence, timeText } from '../../../core/format/units.ts';
import { type Documents, layersOf, type StepDocument } from '../../report/documents.ts';
import { isBroken, isOn, type Night, type NodeNight, type Span, totalsOf } from '../../report/night.ts';
import { localClock } from '../zone.ts';
import { barsMarkup } from './bars.ts';
import { count, type Item, itemsMarkup, labelOf, namesOf, withoutNode } from './items.ts';
import { html, type Markup, page, tableMarkup } from './page.ts';
import { auditSection, keysSection, labSection } from './sections.ts';
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
${audits.map((audit) => auditSection(audit, terms.timezone))}
${keys.map((document) => keysSection(document, terms.timezone))}
${labs.map((lab) => labSection(lab))}
<p class="faint">Written by Offpeak. Bytes are those of the server's process (RSS); a promise of a stall is kept when clients waited no longer in 99.9 % of the time of a defrag.</p>`;
  return page(title, body);
}

function nightSections(night: Night, terms: ReportTerms): Markup {
  const { nodes, from, until } = night;
  const during = `${timeText(from, { timezone: terms.timezone })} to ${timeText(until, { timezone: terms.timezone })}`;
  if (nodes.length === 0)
    return html`<p class="faint">${during}</p><section><h2>In short</h2><p><strong>No node was checked.</strong></p>${findings(night)}</section>`;
  const drawn = nodes.slice(0, MOST_DRAWN);
  const acting = drawn.filter(({ actions, spans }) => actions.length + spans.length > 0);
  return html`<p class="faint">${night.ticks === 1 ? timeText(from, { timezone: terms.timezone }) : `${during}, ${night.ticks} ticks`}</p>
<section><h2>In short</h2>${summary(night)}</section>
${acting.length > 0 && night.ticks > 1 ? html`<section><h2>The night</h2>${timelineMarkup(rowsOf(acting, night, terms), night, terms.timezone)}</section>` : undefined}
<section><h2>${acting.length > 0 ? 'Memory, before and after' : 'Memory'}</h2>${barsMarkup('RSS of each node', drawn.flatMap(memoryBars))}
${drawn.length < nodes.length ? html`<p>These are ${drawn.length} of ${nodes.length} nodes: the table has all.</p>` : undefined}
<p>A restart with the same data would leave data and overhead only.</p></section>
${acting.length > 0 ? html`<section><h2>What was done</h2>${actionTable(acting, night, terms.timezone)}</section>` : undefined}
<section><h2>What to do</h2>${findings(night)}</section>
<section><h2>All nodes</h2>${nodeTable(nodes)}</section>`;
}

function summary(night: Night): Markup {
  const { actions, acted, returned, predicted, broken, unseen, returnable, on } = totalsOf(night);
  const what =
    actions === 0
      ? `${count(night.nodes.length, 'node')} checked. ${on > 0 ? 'No action has ended yet.' : 'Nothing was done.'}`
      : `${count(acted, 'node')} of ${night.nodes.length} treated: ${bytesText(returned)} returned of ${bytesText(predicted)} predicted${predicted > 0 ? ` (${percentText((returned / predicted) * 100)})` : ''}.`;
  const promise =
    actions === 0
      ? undefined
      : broken === 0
        ? 'Each promise of a stall was kept.'
        : `${count(broken, 'promise')} of a stall not kept: see the table.`;
  const rest =
    returnable > 0
      ? `${bytesText(returnable)} could still be returned.`
      : `Nothing ${actions + on > 0 ? 'more ' : ''}is worth an action.`;
  const running = on > 0 ? `Active defrag is on at ${count(on, 'node')}.` : undefined;
  const missing = unseen > 0 ? `${count(unseen, 'node')} could not be seen: see below.` : undefined;
  return html`<p><strong>${what}</strong> ${promise} ${running} ${rest} ${missing}</p>`;
}

function rowsOf(nodes: readonly NodeNight[], night: Night, { windowsOf }: ReportTerms): readonly Row[] {
  return nodes.map(({ actions, spans, node, instance }) => ({
    ...{ label: labelOf({ node, instance }), actions, spans, windows: windowsOf(instance, night) },
  }));
}

function memoryBars({ first, last, actions, ...node }: NodeNight) {
  const bar = (step: StepDocument | undefined, when: string) => {
    const layers = step?.diagnosis?.layers;
    if (!layers) return [];
    const { data, fragmentation, freePages, overhead } = layers;
    const note = `${bytesText(data + fragmentation + freePages + overhead)} ${when}`;
    return [{ label: labelOf(node), layers: layersOf(layers), note }];
  };
  const done = actions.at(-1);
  if (done === undefined) return bar(last, '');
  // What a step says of the memory was seen before the action of that step.
  if (last?.verdict !== undefined) return bar(first, `before, ${bytesText(done.verdict.rssAfter)} after`);
  return [...bar(first, 'before'), ...bar(last, 'after')];
}

function actionTable(nodes: readonly NodeNight[], { from, until }: Span, timezone: string): Markup {
  const day = (at: number) => localClock(at, timezone).slice(0, 10);
  // The date stands above, where there is only one.
  const clock = (at: number) => localClock(at, timezone).slice(day(from) === day(until) ? 11 : 0);
  const head = ['Node', 'Action', 'Ended', 'RSS', 'Returned', 'Predicted', 'Longest wait', 'Promised', 'Kept'];
  const rows = nodes.flatMap(({ actions, ...node }) =>
    actions.map(({ at, verdict }) => [
      labelOf(node),
      verdict.action,
      clock(at),
      `${bytesText(verdict.rssBefore)} → ${bytesText(verdict.rssAfter)}`,
      bytesText(verdict.reclaimed),
      bytesText(verdict.predicted),
      durationText(verdict.stall),
      durationText(verdict.promisedStall),
      isBroken(verdict) ? 'no' : 'yes',
    ]),
  );
  return html`${tableMarkup('What was done', head, rows)}<p class="faint">Times are in ${timezone}. What a defrag returned includes the purge that follows it.</p>`;
}

/** Each sentence once, with the nodes that it is about. */
function findings({ nodes, remarks, alerts }: Night): Markup {
  const urgent = alerts.filter(({ severity }) => severity !== 'info');
  const said = nodes.flatMap((one) => saidOf(one).map((text) => ({ ...one, text })));
  const items = [
    ...remarks.map((remark): Item => ({ name: 'Stage', text: remark })),
    ...[...Map.groupBy(said, withoutNode)].map(([text, those]) => ({ name: namesOf(those), text: sentence(text) })),
  ];
  if (items.length + urgent.length === 0)
    return html`<p>${nodes.length === 0 ? 'See the config for its instances.' : 'Nothing: each node is healthy.'}</p>`;
  return html`${urgent.length > 0 ? html`<ul>${urgent.map(({ severity, title }) => html`<li><strong>${severity}</strong>: ${title}</li>`)}</ul>` : undefined}
${itemsMarkup(items)}`;
}

function saidOf(one: NodeNight): readonly string[] {
  const { last, problem } = one;
  // Of a step that acted, the findings are those from before.
  const isCurrent = last?.diagnosis?.verdict === 'findings' && last.verdict === undefined && !isOn(one);
  return [
    ...(problem === undefined ? [] : [problem]),
    ...(isOn(one) ? ['active defrag is on: the next tick goes on with it, or ends it'] : []),
    ...(isCurrent ? (last?.diagnosis?.findings.map(({ text }) => text) ?? []) : []),
  ];
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
      { words: problem === undefined ? (last?.by ?? '') : 'not seen' },
    ];
  });
  return tableMarkup('All nodes', head, rows, { sorts: true });
}
