import { describe, expect, test } from 'vitest';
import { barsMarkup } from '../../../../../cli/render/html/bars.ts';
import { labPage } from '../../../../../cli/render/html/lab.ts';
import { html, page } from '../../../../../cli/render/html/page.ts';
import { aReading, aTrial } from '../../../../support/trials.ts';

describe('markup', () => {
  test('escapes texts, and takes markup and lists of it as they are', () => {
    const items = ['<b>', `"a" & 'b'`].map((text) => html`<li>${text}</li>`);
    expect(html`<ul title="${'">'}">${items}${undefined}${0}</ul>`.html).toBe(
      '<ul title="&quot;&gt;"><li>&lt;b&gt;</li><li>&quot;a&quot; &amp; &#39;b&#39;</li>0</ul>',
    );
  });
});

describe('a page', () => {
  const text = labPage(aTrial({ title: '<script>alert(1)</script>', failed: [{ arms: [], problem: '<img src=x>' }] }));

  test('loads nothing and runs nothing', () => {
    expect(text).toContain(
      `content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"`,
    );
    expect(text).not.toMatch(/<script|<img|<link|src=(?!x&gt;)|url\(|@import|javascript:|\son\w+=/i);
    expect(text).not.toMatch(/https?:/);
  });

  test('has a language, a title and one main heading', () => {
    expect(page('a & b', html`<p>c</p>`)).toMatch(/^<!doctype html>\n<html lang="en">[\s\S]*<title>a &amp; b<\/title>/);
    expect(text.match(/<h1>/g)).toHaveLength(1);
  });

  test('opens and closes each element', () => {
    for (const name of ['section', 'table', 'tr', 'svg', 'g', 'dl', 'p', 'div', 'span']) {
      const count = (tag: RegExp) => text.match(tag)?.length ?? 0;
      expect([name, count(new RegExp(`<${name}[ >]`, 'g'))]).toEqual([name, count(new RegExp(`</${name}>`, 'g'))]);
    }
  });
});

describe('bars', () => {
  test('are on one scale, in proportion, and say their sizes to a screen reader', () => {
    const bars = [
      { label: 'all', layers: aReading(300, 100, 0, 0).layers, note: '' },
      { label: 'half', layers: aReading(100, 100, 0, 0).layers, note: '' },
    ];
    const svg = barsMarkup('RSS', bars).html;
    const widths = [...svg.matchAll(/class="(\w+)" x="[\d.]+" y="\d+" width="([\d.]+)"/g)].map(([, , width]) =>
      Number(width),
    );
    expect(widths).toEqual([405, 135, 0, 0, 135, 135, 0, 0]);
    expect(svg).toContain('aria-label="RSS: all data 300 MiB, fragmentation 100 MiB');
  });

  test('a part below zero takes no room', () => {
    const svg = barsMarkup('RSS', [{ label: 'x', layers: aReading(100, 0, 0, -5).layers, note: '' }]).html;
    expect(svg).not.toMatch(/width="-/);
  });
});
