import type { KnownBlock, MrkdwnElement, PlainTextElement } from '@slack/types';

/** As docs/slack-messages.json has it. */
export interface Message {
  readonly text: string;
  readonly blocks?: readonly KnownBlock[];
}

// A page that looks as Slack's desktop client does, as far as Offpeak's blocks go: header, section, fields, buttons, context.

const STYLE = `
  body { margin: 0; padding: 20px; width: 680px; background: #fff; color: #1d1c1d; font: 15px/1.46 Lato, "Noto Sans", "DejaVu Sans", sans-serif; }
  .author { display: flex; gap: 8px; align-items: baseline; margin-bottom: 4px; }
  .author b { font-weight: 900; } .author span { background: #ddd; border-radius: 2px; font-size: 10px; padding: 1px 3px; }
  h3 { font-size: 18px; margin: 4px 0 8px; } p { margin: 0 0 8px; white-space: pre-wrap; overflow-wrap: anywhere; }
  .dot { border-radius: 50%; display: inline-block; height: 16px; vertical-align: -2px; width: 16px; }
  pre { background: #f8f8f8; border: 1px solid #ddd; border-radius: 4px; font: 12px/1.5 "DejaVu Sans Mono", monospace; margin: 0 0 8px; padding: 8px; }
  .fields { display: grid; grid-template-columns: 1fr 1fr; gap: 6px 16px; margin-bottom: 8px; }
  .fields p { margin: 0; }
  .buttons { display: flex; gap: 8px; margin-bottom: 8px; }
  .buttons a { border: 1px solid #bbb; border-radius: 4px; color: #1d1c1d; font-size: 13px; font-weight: 700; padding: 4px 12px; }
  .context { color: #616061; display: flex; flex-wrap: wrap; font-size: 12px; gap: 0 10px; overflow-wrap: anywhere; }
`;

/** The message as HTML. Everything in it is text: no picture, font or script is loaded. */
export function pageOf({ blocks = [] }: Message): string {
  const author = '<div class="author"><b>Offpeak</b><span>APP</span></div>';
  return `<!doctype html><meta charset="utf-8"><style>${STYLE}</style>${author}${blocks.map(htmlOf).join('\n')}`;
}

function htmlOf(block: KnownBlock): string {
  switch (block.type) {
    case 'header':
      return `<h3>${escaped(block.text.text)}</h3>`;
    case 'section': {
      const fields = (block.fields ?? []).map(textOf).join('');
      return `${block.text ? textOf(block.text) : ''}${fields && `<div class="fields">${fields}</div>`}`;
    }
    case 'actions': {
      const labels = block.elements.flatMap((one) => (one.type === 'button' ? [one.text.text] : []));
      return `<div class="buttons">${labels.map((label) => `<a>${escaped(label)}</a>`).join('')}</div>`;
    }
    case 'context': {
      const texts = block.elements.flatMap((one) => ('text' in one ? [one.text] : []));
      return `<div class="context">${texts.map((text) => `<span>${escaped(text)}</span>`).join('')}</div>`;
    }
    default:
      throw new Error(`no drawing for a block of the type ${block.type}`);
  }
}

/** Of mrkdwn, what Offpeak writes: bold labels and figures, and bars as code. Its texts carry their entities. */
function textOf({ type, text }: PlainTextElement | MrkdwnElement): string {
  if (type === 'plain_text') return `<p>${escaped(text)}</p>`;
  const parts = text.split('```').map((part, index) => (index % 2 === 1 ? `<pre>${part.trim()}</pre>` : bold(part)));
  return parts.join('');
}

function bold(text: string): string {
  const trimmed = text.trim();
  return trimmed === '' ? '' : `<p>${trimmed.replace(/\*([^*\n]+)\*/g, '<b>$1</b>')}</p>`;
}

/** Not every machine has a font with these. */
const DOTS: Readonly<Record<string, string>> = { '🟢': '#2bac76', '🟠': '#f2952f', '🔴': '#e01e5a', '⚪': '#ddd' };

function escaped(text: string): string {
  const plain = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return plain.replace(/[🟢🟠🔴⚪]/gu, (dot) => `<i class="dot" style="background:${DOTS[dot]}"></i>`);
}
