import { createHash } from 'node:crypto';

/** Text that is HTML already. Everything else is escaped. */
export interface Markup {
  readonly html: string;
}

type Part = Markup | string | number | undefined | readonly Part[];

/** HTML with values in it: texts are escaped, markup and lists of it are taken as they are, `undefined` is nothing. */
export function html(strings: TemplateStringsArray, ...values: readonly Part[]): Markup {
  return { html: strings.map((text, at) => text + (at < values.length ? textOf(values[at]) : '')).join('') };
}

function textOf(part: Part): string {
  if (part === undefined) return '';
  if (typeof part === 'string' || typeof part === 'number') return escaped(String(part));
  return 'html' in part ? part.html : part.map(textOf).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}

/** Colours of parts of memory, on paper, on light and on dark screens: the same names as the tones of the terminal. */
const STYLE = `
:root { color-scheme: light dark; --text: #1d2330; --faint: #5a6275; --page: #ffffff; --line: #d8dce5;
  --data: #2563c9; --fragmentation: #c2660a; --pages: #8a3fb0; --overhead: #7a8294; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e9f0; --faint: #a3abbd; --page: #14171f; --line: #363c4b;
  --data: #6ea0f5; --fragmentation: #eea04a; --pages: #c48ae0; --overhead: #8b93a6; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 2rem 1rem 4rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .5rem; } h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; }
p, dd { overflow-wrap: anywhere; } p { max-width: 46rem; margin: .5rem 0; } .faint { color: var(--faint); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th[scope=col] { color: var(--faint); } th { font-weight: 600; } th:first-child { text-align: left; padding-left: 0; }
td.words { text-align: left; white-space: normal; min-width: 12rem; } summary { cursor: pointer; margin-top: .8rem; }
dt { font-weight: 600; max-width: 46rem; overflow-wrap: anywhere; margin-top: .8rem; } dd { margin: 0; max-width: 46rem; }
svg { display: block; width: 100%; height: auto; } .chart { min-width: 44rem; } svg text { font: 13px system-ui, sans-serif; fill: var(--text); } svg text.faint { fill: var(--faint); }
th button { all: unset; cursor: pointer; } th button:focus-visible { outline: 2px solid currentColor; outline-offset: 2px; } th[aria-sort=descending] button::after { content: ' \\2193'; } th[aria-sort=ascending] button::after { content: ' \\2191'; }
.window { fill: var(--line); } .data { fill: var(--data); } .fragmentation { fill: var(--fragmentation); } .pages { fill: var(--pages); } .overhead { fill: var(--overhead); }
svg line { stroke: var(--line); } .key { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; font-size: .9rem; } .key svg { display: inline-block; width: .9em; height: .9em; vertical-align: -.08em; margin-right: .4em; }
@media print { :root { color-scheme: light; --text: #000; --faint: #444; --page: #fff; --line: #bbb;
  --data: #2563c9; --fragmentation: #c2660a; --pages: #8a3fb0; --overhead: #7a8294; } tr, dt, dd, svg { break-inside: avoid; } h2 { break-after: avoid; }
  body { max-width: none; padding: 0; } .scroll { overflow: visible; } table { font-size: .62rem; } th, td { padding: .2rem .3rem; white-space: normal; } td.words { min-width: 0; } .chart { min-width: 0; }
  details::details-content { content-visibility: visible; display: block; block-size: auto; } summary { display: none; } }
`;

/** Makes the heads of tables into buttons that sort. Without it the page says the same. */
const SORTING = `for (const table of document.querySelectorAll('table[data-sorts]')) {
  const body = table.tBodies[0];
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement('button');
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener('click', () => {
      const down = head.getAttribute('aria-sort') !== 'descending';
      for (const other of table.tHead.rows[0].cells) other.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      const key = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
      const order = (a, b) => String(key(a)).localeCompare(String(key(b)), 'en', { numeric: true });
      const numbers = (a, b) => Number(key(a)) - Number(key(b));
      const isNumber = [...body.rows].every((row) => row.cells[column].dataset.value !== undefined);
      const rows = [...body.rows].sort(isNumber ? numbers : order);
      body.append(...(down === isNumber ? rows.reverse() : rows));
    });
  });
}`;

/** No network, and no script but the one that sorts tables, where there is such a table. */
function policyFor(sorts: boolean): string {
  const script = `script-src 'sha256-${createHash('sha256').update(SORTING).digest('base64')}'; `;
  return `default-src 'none'; style-src 'unsafe-inline'; ${sorts ? script : ''}base-uri 'none'; form-action 'none'`;
}

/** A whole document, which needs nothing beside it. */
export function page(title: string, body: Markup): string {
  const sorts = body.html.includes('<table data-sorts>');
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${{ html: policyFor(sorts) }}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${{ html: STYLE }}</style>
</head>
<body>
<main>
${body}
</main>
${sorts ? html`<script>${{ html: SORTING }}</script>` : undefined}
</body>
</html>
`.html;
}

/** A cell that sorts by a number, or one that holds words, which may take several lines. */
type Cell = { readonly text: string; readonly value: number | undefined } | { readonly words: string };

/**
 * A table with a head; the first column holds words, the others figures. It scrolls by itself where the screen is narrow. With `sorts`, a click on
 * a head sorts by its column, where the browser runs scripts.
 */
export function tableMarkup(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly (string | Cell)[])[],
  { sorts = false }: { readonly sorts?: boolean } = {},
): Markup {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table${{ html: sorts ? ' data-sorts' : '' }}>
<thead><tr>${head.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
<tbody>
${rows.map((cells) => html`<tr>${cells.map(cellMarkup)}</tr>\n`)}</tbody>
</table></div>`;
}

function cellMarkup(cell: string | Cell, column: number): Markup {
  if (typeof cell === 'string') return column === 0 ? html`<th scope="row">${cell}</th>` : html`<td>${cell}</td>`;
  if ('words' in cell) return html`<td class="words">${cell.words}</td>`;
  return html`<td data-value="${cell.value ?? -1}">${cell.text}</td>`;
}
