import type { KnownBlock } from '@slack/types';
import { describe, expect, test } from 'vitest';
import { blockKitFaults, type SlackMessage } from '../../../../functions/notify-slack/limits.ts';
import { refusalOf } from '../../../support/slack-rules.ts';

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

type FaultyRow = readonly [name: string, message: SlackMessage, fault: RegExp, by?: 'ours'];

/** `ours`: Slack would show it, but not as it was meant. */
const FAULTY: readonly FaultyRow[] = [
  ['no text', { text: '' }, /^text: empty$/],
  ['text beside blocks', { text: long(301), blocks: [section('a')] }, /^text: 301 characters, 300 are accepted$/],
  ['text alone', { text: long(3_001) }, /^text: 3001 characters/, 'ours'],
  ['a mention in the text', { text: 'see <!channel>' }, /^text: & < > not escaped$/, 'ours'],
  ['@here in the text', { text: 'is @here' }, /^text: mentions a channel$/, 'ours'],
  ['no blocks', withBlocks(), /^blocks: empty$/],
  ['51 blocks', withBlocks(...Array(51).fill(section('a'))), /^blocks: 51, 50 are accepted$/],
  ['a long header', withBlocks({ type: 'header', text: plain(long(151)) }), /^blocks\[0\]\.text: 151 characters, 150/],
  [
    'a header of mrkdwn',
    withBlocks({ type: 'header', text: mrkdwn('a') } as unknown as KnownBlock),
    /^blocks\[0\]\.text: not plain_text$/,
  ],
  ['an empty section', withBlocks({ type: 'section' }), /^blocks\[0\]: neither text nor fields$/],
  ['an empty text', withBlocks(section('a'), section('')), /^blocks\[1\]\.text: empty$/],
  ['a long section', withBlocks(section(long(3_001))), /^blocks\[0\]\.text: 3001 characters, 3000/],
  ['a bare ampersand', withBlocks(section('a & b')), /^blocks\[0\]\.text: & < > not escaped$/, 'ours'],
  ['a link', withBlocks(section('<https://bank.example|here>')), /not escaped$/, 'ours'],
  [
    'parsed plain text',
    withBlocks({ type: 'section', text: { type: 'mrkdwn', text: '@here' } }),
    /^blocks\[0\]\.text: not verbatim$/,
    'ours',
  ],
  ['no fields', withBlocks({ type: 'section', fields: [] }), /^blocks\[0\]\.fields: empty$/],
  [
    'eleven fields',
    withBlocks({ type: 'section', fields: Array(11).fill(mrkdwn('a')) }),
    /fields: 11, 10 are accepted$/,
  ],
  [
    'a long field',
    withBlocks({ type: 'section', fields: [mrkdwn(long(2_001))] }),
    /fields\[0\]: 2001 characters, 2000/,
  ],
  ['eleven in a context', withBlocks({ type: 'context', elements: Array(11).fill(plain('a')) }), /elements: 11, 10/],
  [
    'an image in a context',
    withBlocks({ type: 'context', elements: [{ type: 'image', image_url: 'https://a.example/b.png', alt_text: 'c' }] }),
    /elements\[0\]: a image is no text$/,
  ],
  ['no buttons', withBlocks({ type: 'actions', elements: [] }), /elements: empty$/],
  [
    '26 buttons',
    withBlocks({ type: 'actions', elements: Array.from({ length: 26 }, (_, n) => button({ action_id: `b${n}` })) }),
    /elements: 26, 25/,
  ],
  ['two alike', withBlocks({ type: 'actions', elements: [button(), button()] }), /an action_id twice$/],
  [
    'a long button',
    withBlocks({ type: 'actions', elements: [button({ text: plain(long(76)) })] }),
    /text: 76 characters/,
  ],
  [
    'an http button',
    withBlocks({ type: 'actions', elements: [button({ url: 'http://a.example/' })] }),
    /url: no https/,
  ],
  [
    'a long address',
    withBlocks({ type: 'actions', elements: [button({ url: `https://a.example/${long(3_000)}` })] }),
    /url: 3018 characters, 3000/,
  ],
  ['a divider', withBlocks({ type: 'divider' }), /^blocks\[0\]: a block of type divider is none of ours$/],
];

describe("Slack's limits", () => {
  test.each(GOOD)('kept: %s', (_, message) => {
    expect(blockKitFaults(message)).toEqual([]);
    expect(refusalOf(message)).toBeUndefined();
  });

  test.each(FAULTY.map(([name, message, fault, by]) => ({ name, message, fault, by })))('broken: $name', (row) => {
    const { message, fault, by } = row;
    const faults = blockKitFaults(message);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(fault);
    // The endpoint's own rules, written apart from ours, agree on what Slack refuses.
    expect(refusalOf(message) === undefined).toBe(by === 'ours');
  });

  test('all faults at once, and none of them shows the text', () => {
    const faults = blockKitFaults(withBlocks(section(''), section(`${long(3_000)}<secret>`), { type: 'section' }));
    expect(faults).toHaveLength(4);
    expect(faults.join()).not.toContain('secret');
  });
});
