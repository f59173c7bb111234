import { bytesText, isoText, ratioText, sentence } from '../../../core/format/units.ts';
import { ARMS } from '../../lab/trial/arms.ts';
import { type Moment, ratioOf, type TrialResult } from '../../lab/trial/result.ts';
import { ARM_HEADS, armCells, clockNote, MOMENT_HEADS, momentCells, momentName, provenance } from '../lab/lines.ts';
import { armText } from '../lab/words.ts';
import { barsMarkup } from './bars.ts';
import { html, type Markup, page, tableMarkup } from './page.ts';

/** What `lab` has measured, as one HTML file. */
export function labPage(result: TrialResult): string {
  const { title, table, arms, failed } = result;
  const bars = arms.map(({ arm, after }) => ({ label: ARMS[arm], layers: after.layers, note: rssText(after) }));
  const body = html`<h1>Offpeak lab: what each remedy returns</h1>
<p>${sentence(title)} Each server got the same data; RSS is what the kernel counts, at rest.</p>
<p class="faint">${isoText(result.at)}. ${provenance(result)}</p>
<section><h2>RSS at rest after each arm</h2>
${barsMarkup('RSS at rest', bars)}</section>
<section><h2>What each arm did</h2>
<dl>${arms.map((arm) => html`<dt>${ARMS[arm.arm]}</dt><dd>${armText(arm, arms)}</dd>`)}
${failed.map(({ arms, problem }) => html`<dt>${arms.map((arm) => ARMS[arm]).join(', ') || 'the table'}</dt><dd>not measured: ${problem}</dd>`)}</dl></section>
${table && tableSection(table)}
<section><h2>Figures</h2>
${tableMarkup(
  'Figures of each arm',
  ARM_HEADS,
  arms.map((arm) => armCells(arm, arms)),
)}</section>`;
  return page(`Offpeak lab: ${title}`, body);
}

function rssText(reading: Moment['reading']): string {
  return `${bytesText(reading.rss)}, ${ratioText(ratioOf(reading))} x used`;
}

function tableSection({ title, clock, moments }: NonNullable<TrialResult['table']>): Markup {
  const bars = moments.map(({ when, reading }) => ({
    ...{ label: momentName(when), layers: reading.layers, note: rssText(reading) },
  }));
  return html`<section><h2>The article's table</h2>
<p>${sentence(title)} The column <em>article</em> has the ratios that the article prints. ${clockNote(clock)}</p>
${barsMarkup("The article's table", bars)}
${tableMarkup(
  "The article's table",
  MOMENT_HEADS,
  moments.map((moment) => momentCells(moment, clock)),
)}</section>`;
}
