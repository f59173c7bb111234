import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { BANNED_WORDS, bannedIn } from './support/banned-words.ts';

const ROOT = join(import.meta.dirname, '..');

/** Where the words of docs/glossary.md hold. Test fixtures, the changelog and the samples of Slack's messages are left out. */
const ROOTS = [
  '{README,CONTRIBUTING,SECURITY}.md',
  'docs/**/*.md',
  '.github/**/*.{md,yml}',
  'config/example.yml',
  'serverless.yml',
  'package.json',
  'scripts/**/*.ts',
  'core/**/*.ts',
  'functions/**/*.ts',
  'cli/**/*.ts',
  'infra/**/*.ts',
  'bench/**/*.ts',
];

interface FixedName {
  readonly name: string;
  /** The files that may use it, as the beginning of their paths. */
  readonly files: readonly string[];
}

/** Names that Offpeak cannot change: fields of stored documents, which other versions read too, and names of other software. */
const FIXED_NAMES: readonly FixedName[] = [
  { name: 'entrustedAt', files: ['core/alerts/outbox'] },
  { name: 'givenBackOn', files: ['core/leases/records.ts', 'core/actions/', 'core/reconcile/'] },
  // The event of version 0.1.
  { name: 'cure-ineffective', files: ['core/alerts/outbox-entries.ts'] },
  { name: 'told', files: ['core/state/node-history.ts'] },
  // Stored in node histories as the name of a report that was sent.
  { name: 'stranded-lease', files: ['core/reconcile/displaced-leases.ts'] },
  // A function of the package yaml.
  { name: 'visit', files: ['core/config/document.ts'] },
  // The title of a page, which others link.
  { name: 'what-cures-what', files: ['docs/', 'README.md'] },
  { name: 'What cures what', files: ['docs/', 'README.md'] },
  // A user of the operating system.
  { name: 'nobody', files: ['cli/lab/build.ts'] },
];

/** Of a page: from `<!-- x: … -->` to `<!-- /x -->`, or from `<!-- x:start -->` to `<!-- x:end -->`. Written by a test, or quoted. */
const OPENS = /^<!-- (?:([\w-]+):start|([\w-]+)(?:: .*)?) -->$/;

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** The lines of a page that a person writes, with their numbers. */
function writtenLines(text: string): readonly (readonly [number: number, line: string])[] {
  let closes: readonly string[] = [];
  return text.split('\n').flatMap((line, index) => {
    const [, started, named] = closes.length === 0 ? (OPENS.exec(line) ?? []) : [];
    if (started !== undefined) closes = [`<!-- ${started}:end -->`];
    if (named !== undefined) closes = [`<!-- /${named} -->`];
    const isWritten = closes.length === 0;
    if (closes.includes(line)) closes = [];
    return isWritten ? [[index + 1, line] as const] : [];
  });
}

function withoutFixedNames(path: string, line: string): string {
  const names = FIXED_NAMES.filter(({ files }) => files.some((file) => path.startsWith(file)));
  return names.reduce((text, { name }) => text.replaceAll(new RegExp(`\\b${name}\\b`, 'g'), ''), line);
}

/** Names in back ticks belong to code, where this test reads them as well. */
const withoutCode = (line: string) => line.replaceAll(/`[^`]*`/g, '``');

function complaintsOf(path: string): readonly string[] {
  return writtenLines(read(path)).flatMap(([number, line]) =>
    bannedIn(withoutFixedNames(path, path.endsWith('.md') ? withoutCode(line) : line)).map(
      ({ word, instead }) => `${path}:${number}: not "${word}", but: ${instead}   (${line.trim()})`,
    ),
  );
}

describe('the words of docs/glossary.md', () => {
  const paths = globSync(ROOTS, { cwd: ROOT }).toSorted();

  test.each(paths)('hold in %s', (path) => {
    expect(complaintsOf(path).join('\n')).toBe('');
  });

  test.each(BANNED_WORDS)('are the ones that the test looks for: $word', ({ word, instead }) => {
    expect(read('docs/glossary.md')).toContain(`| ${word} | ${instead} |`);
  });
});

describe('a banned word', () => {
  it.each([
    ['Nobody was told.', ['nobody', 'told, untold']],
    ['const isTold = true;', ['told, untold']],
    ['export function giveBackAll() {}', ['give back']],
    ['It gives every lease back.', ['give back']],
    ['A Sentinel is no server.', ['is no …']],
    ['after two looks', ['a look, the looks (a noun)']],
    ["reason: 'set-aside'", ['set aside']],
  ])('is found in %s', (line, words) => {
    expect(bannedIn(line).map(({ word }) => word)).toEqual(words);
  });

  it.each([
    'There is no such name.',
    'It is no longer on.',
    'It looks at the clock.',
    'A secure password is attended to.',
    'the folder of the extender',
    'He went back after it was given.',
  ])('is not found in %s', (line) => {
    expect(bannedIn(line)).toEqual([]);
  });

  it('is accepted where it is a fixed name, and only there', () => {
    const line = 'readonly entrustedAt: number;';
    expect(bannedIn(withoutFixedNames('core/alerts/outbox-entries.ts', line))).toEqual([]);
    expect(bannedIn(withoutFixedNames('core/alerts/outbox.ts', 'an entrusted alert'))).toHaveLength(1);
    expect(bannedIn(withoutFixedNames('core/alerts/digest.ts', line))).toHaveLength(1);
  });

  it('is not looked for in what a test writes, or in a quotation', () => {
    const page =
      'a\n<!-- faults: x.test.ts -->\ntold\n<!-- /faults -->\n<!-- t:start -->\ntold\n<!-- t:end -->\n<!-- quoted -->\nb\n<!-- /quoted -->\nc';
    expect(writtenLines(page)).toEqual([
      [1, 'a'],
      [11, 'c'],
    ]);
  });
});
