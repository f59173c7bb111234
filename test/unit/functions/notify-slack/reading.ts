import type { SlackMessage } from '../../../../functions/notify-slack/message/post.ts';

/** What a person reads in the blocks, one line a text. */
export function read({ blocks = [] }: SlackMessage): string {
  return blocks
    .flatMap((block) => {
      if (block.type === 'header') return [block.text.text];
      if (block.type === 'section') return [block.text?.text ?? '', ...(block.fields ?? []).map(({ text }) => text)];
      if (block.type === 'context') return block.elements.map((one) => ('text' in one ? String(one.text) : ''));
      return [];
    })
    .join('\n');
}

/** Where its buttons lead, by label. */
export const addressesOf = ({ blocks = [] }: SlackMessage): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries(
    blocks
      .flatMap((block) => (block.type === 'actions' ? block.elements : []))
      .flatMap((one) => (one.type === 'button' ? [[one.text.text, one.url]] : [])),
  );
