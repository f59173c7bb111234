import { expect } from 'vitest';
import { blockKitFaults, type SlackMessage } from '../../../../functions/notify-slack/limits.ts';
import type { Rendered } from '../../../../functions/notify-slack/message.ts';
import { refusalOf } from '../../../support/slack-rules.ts';

/** Every text of the message in which Slack reads markup. */
function markupOf(message: SlackMessage): readonly string[] {
  const found: string[] = [message.text];
  JSON.stringify(message.blocks ?? [], (_, value) => {
    if (value?.type === 'mrkdwn') found.push(value.text);
    return value;
  });
  return found;
}

/** Slack takes both forms, and finds neither a mention nor a link in what others have written. */
export function expectHarmless({ message, plain, faults }: Rendered): void {
  expect(faults).toEqual([]);
  for (const form of [message, plain]) {
    expect(blockKitFaults(form)).toEqual([]);
    expect(refusalOf(form)).toBeUndefined();
    for (const markup of markupOf(form)) {
      expect(markup.replaceAll(/&(amp|lt|gt);/g, '')).not.toMatch(/[<>&]/);
      expect(markup.isWellFormed()).toBe(true);
    }
    expect(form.text).not.toMatch(/@(here|channel|everyone)/i);
  }
}
