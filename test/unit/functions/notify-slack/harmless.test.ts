import type { KnownBlock } from '@slack/types';
import { describe, expect, test } from 'vitest';
import type { SlackMessage } from '../../../../functions/notify-slack/message/post.ts';
import { refusalOf } from '../../../support/slack-rules.ts';
import { harmIn } from './harmless.ts';

const plain = (text: string) => ({ type: 'plain_text', text }) as const;
const mrkdwn = (text: string) => ({ type: 'mrkdwn', text, verbatim: true }) as const;
const button = (over: object = {}) =>
  ({ type: 'button', text: plain('Runbook'), action_id: 'runbook', url: 'https://docs.example/', ...over }) as const;
const section = (text: string): KnownBlock => ({ type: 'section', text: mrkdwn(text) });
const withBlocks = (...blocks: readonly KnownBlock[]): SlackMessage => ({ text: 'a text', blocks });
const long = (count: number) => 'x'.repeat(count);

const GOOD: readonly (readonly [name: string, message: SlackMessage])[] = [
  ['text alone', { text: long(3_000) }],
  ['text beside blocks', { text: long(300), blocks: [section('a')] }],
  ['a header', withBlocks({ type: 'header', text: plain(long(150)) })],
  ['a section', withBlocks(section(long(3_000)))],
  ['entities', withBlocks(section('a &amp; b &lt;!channel&gt;'))],
  ['markup characters in plain text', withBlocks({ type: 'section', text: plain('<!channel> & <a|b>') })],
  ['ten fields', withBlocks({ type: 'section', fields: Array(10).fill(mrkdwn(long(2_000))) })],
  ['fifty blocks', withBlocks(...Array(50).fill(section('a')))],
  ['a context', withBlocks({ type: 'context', elements: Array(10).fill(plain(long(3_000))) })],
  ['a button', withBlocks({ type: 'actions', elements: [button({ text: plain(long(75)) })] })],
];

/** With the place that Slack's rules name. */
const REFUSED: readonly (readonly [name: string, message: SlackMessage, where: string])[] = [
  ['no text', { text: '' }, 'text'],
  ['a long text beside blocks', { text: long(301), blocks: [section('a')] }, 'text beside blocks'],
  ['no blocks', withBlocks(), 'blocks'],
  ['51 blocks', withBlocks(...Array(51).fill(section('a'))), 'blocks'],
  ['a long header', withBlocks({ type: 'header', text: plain(long(151)) }), 'blocks[0].text.text'],
  ['a header of mrkdwn', withBlocks({ type: 'header', text: mrkdwn('a') } as unknown as KnownBlock), 'blocks[0].text'],
  ['an empty section', withBlocks({ type: 'section' }), 'blocks[0]'],
  ['an empty text', withBlocks(section('a'), section('')), 'blocks[1].text.text'],
  ['a long section', withBlocks(section(long(3_001))), 'blocks[0].text.text'],
  ['no fields', withBlocks({ type: 'section', fields: [] }), 'blocks[0].fields'],
  ['eleven fields', withBlocks({ type: 'section', fields: Array(11).fill(mrkdwn('a')) }), 'blocks[0].fields'],
  ['a long field', withBlocks({ type: 'section', fields: [mrkdwn(long(2_001))] }), 'blocks[0].fields[0].text'],
  ['eleven in a context', withBlocks({ type: 'context', elements: Array(11).fill(plain('a')) }), 'blocks[0].elements'],
  ['no buttons', withBlocks({ type: 'actions', elements: [] }), 'blocks[0].elements'],
  [
    '26 buttons',
    withBlocks({ type: 'actions', elements: Array.from({ length: 26 }, (_, n) => button({ action_id: `b${n}` })) }),
    'blocks[0].elements',
  ],
  ['two alike', withBlocks({ type: 'actions', elements: [button(), button()] }), 'blocks[0].action_id'],
  [
    'a long button',
    withBlocks({ type: 'actions', elements: [button({ text: plain(long(76)) })] }),
    'blocks[0].elements[0].text.text',
  ],
  [
    'an http button',
    withBlocks({ type: 'actions', elements: [button({ url: 'http://a.example/' })] }),
    'blocks[0].elements[0].url',
  ],
  [
    'a long address',
    withBlocks({ type: 'actions', elements: [button({ url: `https://a.example/${long(3_000)}` })] }),
    'blocks[0].elements[0].url',
  ],
  ['a divider, which no message has', withBlocks({ type: 'divider' }), 'blocks[0].type'],
];

const HARMFUL: readonly (readonly [harm: string, message: SlackMessage])[] = [
  ['a long text', { text: long(3_001) }],
  ['not escaped', { text: 'see <!channel>' }],
  ['not escaped', withBlocks(section('a & b'))],
  ['not escaped', withBlocks(section('<https://bank.example|here>'))],
  ['half of a character', { text: 'a \ud83c' }],
  ['a mention', { text: 'is @here' }],
  ['not verbatim', withBlocks({ type: 'section', text: { type: 'mrkdwn', text: '@here' } })],
];

describe('the rules by which tests judge a message', () => {
  test.each(GOOD)('good: %s', (_, message) => {
    expect({ refusal: refusalOf(message), harm: harmIn(message) }).toEqual({ harm: [] });
  });

  test.each(REFUSED)('Slack refuses: %s', (_, message, where) => {
    expect(refusalOf(message)?.where).toBe(where);
  });

  test.each(HARMFUL)('%s: Slack takes it, and shows something else', (harm, message) => {
    expect({ refusal: refusalOf(message), harm: harmIn(message) }).toEqual({ harm: [harm] });
  });
});
