import { describe, expect, test } from 'vitest';
import { type Alert, NODES_A_MESSAGE } from '../../../../core/domain/alert.ts';
import type { SlackMessage } from '../../../../functions/notify-slack/message/post.ts';
import { refusalOf } from '../../../support/slack-rules.ts';
import { KINDS, stormOf, stormOfKind } from '../../../support/storm.ts';
import { read } from './reading.ts';
import { digested, rendered } from './samples.ts';
import { alertNotification } from './sns-events.ts';

/** Beyond this Slack may answer `msg_blocks_too_long` (slackapi/bolt-js#2867). */
const MOST_TEXT = 11_000;

function shownOf(digest: Alert): readonly SlackMessage[] {
  const { kind, posts } = rendered(alertNotification(digest));
  expect(kind).toBe('alert');
  const all = posts.map(({ message }) => message);
  expect(all.map(refusalOf).filter((refusal) => refusal !== undefined)).toEqual([]);
  for (const one of all) {
    expect(one.blocks).toBeDefined();
    expect(read(one).length).toBeLessThanOrEqual(MOST_TEXT);
  }
  return all;
}

describe('F11: a digest in Slack', () => {
  test.each(KINDS.map(([name]) => name))('%s: 100 nodes are one message within the limits, that names each', (name) => {
    const digest = digested(stormOfKind(100, name));
    const [message, ...more] = shownOf(digest);
    if (!message) throw new Error('a message expected');
    expect(more).toEqual([]);
    const text = read(message);
    for (const { instance, node } of digest.members ?? []) {
      expect(text).toContain(instance);
      expect(text).toContain(node);
    }
    expect(text).toContain(digest.title);
    expect(text).toContain(`*Next:* ${digest.next}`);
  });

  test.each([149, 150, 299, 300, 999, 1_000])(
    '%i nodes of one event are named in as few messages as the job has counted with',
    (count) => {
      const digest = digested(stormOfKind(count, 'unsupported'));
      const all = shownOf(digest);
      expect(all.length).toBeLessThanOrEqual(1 + Math.floor(count / NODES_A_MESSAGE));
      const text = all.map(read).join('\n');
      for (const { node } of digest.members ?? []) expect(text).toContain(node);
      if (all.length > 1) expect(all.at(-1)?.text).toContain(`(${all.length} of ${all.length})`);
    },
  );

  test('few nodes are shown with what is said of each', () => {
    const [message] = shownOf(digested(stormOfKind(5, 'unsupported')));
    expect(read(message as SlackMessage)).toContain('app-000 app-000-1.redis.example:6379: redis 7.0.15, primary');
  });

  test('of several kinds the names stand under their event', () => {
    const [message] = shownOf(digested(stormOf(240).filter(({ severity }) => severity === 'warning')));
    const text = read(message as SlackMessage);
    expect(text).toMatch(/lease-lost:\napp-/);
    expect(text).toMatch(/action-ineffective:\napp-/);
  });

  test('names that are too long for it are shown as far as there is room, and the rest counted by instance', () => {
    const long = 'x'.repeat(200);
    const digest = digested(stormOfKind(140, 'foreign').map((one) => ({ ...one, node: `${one.node}.${long}` })));
    const [message, ...more] = shownOf(digest);
    expect(more).toEqual([]);
    const text = read(message as SlackMessage);
    const named = (text.match(/x{200}/g) ?? []).length;
    expect(named).toBeGreaterThan(10);
    expect(text).toContain(`and ${140 - named} more: app-`);
  });
});
