import { html, type Markup } from './page.ts';

/** One sentence of a report. */
export interface Item {
  /** Of nodes, or of what it is about. */
  readonly name: string;
  readonly text: string;
}

interface Named {
  readonly instance: string;
  readonly node: string;
}

const MOST_NAMED = 5;
/** A node may have a thousand: the others are there on a click, and on paper. */
const MOST_SHOWN = 40;

/** A list of sentences; the first forty are in sight. */
export function itemsMarkup(items: readonly Item[]): Markup {
  const more = items.slice(MOST_SHOWN);
  return html`${listMarkup(items.slice(0, MOST_SHOWN))}
${more.length > 0 ? html`<details><summary>${more.length} more</summary>${listMarkup(more)}</details>` : undefined}`;
}

function listMarkup(items: readonly Item[]): Markup | undefined {
  if (items.length === 0) return undefined;
  return html`<dl>${items.map(({ name, text }) => html`<dt>${name}</dt><dd>${text}</dd>`)}</dl>`;
}

/** The instance and the address of a node, or its address alone where both are long. */
export function labelOf({ instance, node }: Named): string {
  const label = `${instance} ${node}`.trim();
  return label.length > 34 ? node : label;
}

/** The first five nodes, and how many more there are: the table has all. */
export function namesOf(nodes: readonly Named[]): string {
  const more = nodes.length - MOST_NAMED;
  return `${nodes.slice(0, MOST_NAMED).map(labelOf).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** What is said of a node without its address, so that the same trouble of many nodes is one sentence. */
export function withoutNode({ node, text }: { readonly node: string; readonly text: string }): string {
  return text.startsWith(`${node} `) ? text.slice(node.length + 1) : text;
}

/** `2 nodes` */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
