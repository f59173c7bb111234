import { type Alert, type AlertMember, NODES_A_MESSAGE } from '../../../core/domain/alert.ts';
import { countsText, memberLines } from '../../../core/format/digest-text.ts';
import { shortenedText } from '../../../core/format/slack-text.ts';
import { wrapText } from '../../../core/format/wrap.ts';
import { LIMITS } from './blocks.ts';

/**
 * Slack answers `msg_blocks_too_long` to some 13,200 characters in all the blocks of a message, and was seen to do so at 11,341 of text
 * (slackapi/bolt-js#2509, #2867). The first message of a digest also has its title, reason and facts.
 */
const FIRST_CHARS = 5_500;
const PAGE_CHARS = 9_000;

/** For a line, which is one node, or a part of the names of an instance's nodes. */
const LINE_CHARS = 500;

/** A message's worth of lines, in texts that fit into a block each. */
export type Page = readonly string[];

/**
 * The nodes of a digest, page by page, in no more messages than the job expects (NODES_A_MESSAGE): with what is said of each node where
 * there is room; else by their names; else as many as fit, and the rest counted by instance. An alert that is not a digest has no page.
 */
export function pagesOf({ members = [] }: Pick<Alert, 'members'>): readonly Page[] {
  const most = 1 + Math.floor(members.length / NODES_A_MESSAGE);
  const named = members.map((member) => ({ ...member, what: '' }));
  const pages = [members, named].map((those) => pack(linesOf(those), capacity)).find((all) => all.length <= most);
  return (pages ?? firstOf(named, most)).map((lines) =>
    pack(lines, () => LIMITS.sectionText).map((part) => part.join('\n')),
  );
}

function capacity(page: number): number {
  return page === 0 ? FIRST_CHARS : PAGE_CHARS;
}

function linesOf(members: readonly AlertMember[]): readonly string[] {
  // A longer word has a line of its own.
  return memberLines(members).flatMap((line) =>
    wrapText(line, LINE_CHARS).map((part) => shortenedText(part, LINE_CHARS)),
  );
}

function firstOf(members: readonly AlertMember[], most: number): readonly (readonly string[])[] {
  const lines = members.map((member) => shortenedText(linesOf([member]).join(' '), LINE_CHARS));
  const pages = pack(lines, (page) => capacity(page) - LINE_CHARS).slice(0, most);
  const left = members.slice(pages.flat().length);
  const rest = shortenedText(`and ${left.length} more: ${countsText(left)}`, LINE_CHARS);
  return pages.map((page, index) => (index === pages.length - 1 ? [...page, rest] : page));
}

/** The lines in order, each part as full as `most` allows, line breaks included. */
function pack(lines: readonly string[], most: (part: number) => number): readonly (readonly string[])[] {
  const parts: string[][] = [];
  let chars = Number.POSITIVE_INFINITY;
  for (const line of lines) {
    const last = parts.at(-1);
    chars += line.length + 1;
    if (last !== undefined && chars <= most(parts.length - 1)) {
      last.push(line);
      continue;
    }
    parts.push([line]);
    chars = line.length;
  }
  return parts;
}
