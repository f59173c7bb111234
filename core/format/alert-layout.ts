import type { Alert, AlertFact } from '../domain/alert.ts';
import { memberLines } from './digest-text.ts';
import { shortened } from './units.ts';
import { utcText } from './utc-text.ts';
import { cleanText, wrapText } from './wrap.ts';

/** SNS takes "less than 100 characters" (PublishInput's Subject). */
const SUBJECT_CHARS = 99;

const COLUMNS = 72;
/** Wider labels stand on a line of their own: on a phone, a value far to the right would wrap. */
const LABEL_COLUMNS = 24;

/**
 * The subject of the e-mail: `[offpeak prod] sessions: 402 MB returned (info)`. Printable ASCII on one line, 99
 * characters at most, beginning with a punctuation mark as SNS allows. Where it is too long, the title is cut: mail rules
 * use the stage and the severity.
 */
export function alertSubject(alert: Alert): string {
  const prefix = `[offpeak ${shortened(toAscii(alert.stage), 24)}]`.replace(' ]', ']');
  const suffix = `(${alert.severity})`;
  const title = shortened(toAscii(namedTitle(alert)), SUBJECT_CHARS - prefix.length - suffix.length - 2);
  return [prefix, title, suffix].filter((part) => part !== '').join(' ');
}

/**
 * The body of the e-mail, for a person who reads it on a phone at night: what happened, why, the figures, what to do, and
 * on the last line where and when. A digest's list comes before that. Wrapped at 72 columns; a single longer word is not broken.
 *
 * @param runbook its address: the page has a heading for each event
 */
export function alertText(alert: Alert, runbook?: string): string {
  const blocks = [
    wrapText(namedTitle(alert), COLUMNS),
    wrapText(labelled('Why', alert.why), COLUMNS),
    factLines(alert.facts),
    wrapText(labelled('Next', alert.next), COLUMNS),
    runbook === undefined ? [] : [`Runbook: ${runbook}#${alert.event}`],
    listLines(alert),
    wrapText(originOf(alert), COLUMNS),
  ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')
    .concat('\n');
}

/**
 * The text in printable ASCII, on one line: without accents and emoji. Anything else becomes `?`, so that a reader sees that something is
 * missing.
 */
function toAscii(text: string): string {
  return (
    text
      .toWellFormed()
      .normalize('NFKD')
      // Marks and joiners first: an emoji with a skin tone or a family of them is several code points.
      .replace(/[\p{M}\p{Cf}\p{Emoji_Modifier}]/gu, '')
      .replace(/\p{Extended_Pictographic}|\p{Regional_Indicator}/gu, '')
      .replace(/[\s\p{Cc}]+/gu, ' ')
      .replace(/[^\x20-\x7e]/gu, '?')
      .trim()
  );
}

/** In a list of mails, each title must name its instance. */
function namedTitle(alert: Alert): string {
  if (alert.members !== undefined) return alert.title;
  // Whole words: an instance called `a` is not named by "a purge".
  const words = alert.title.split(/[^\p{L}\p{N}_.-]+/u);
  const named = alert.instance === '' || words.includes(alert.instance) || alert.title.startsWith(`${alert.instance}:`);
  return named ? alert.title : `${alert.instance}: ${alert.title}`;
}

function labelled(label: string, text: string): string {
  const clean = cleanText(text);
  return clean === '' ? '' : `${label}: ${clean}`;
}

function factLines(facts: readonly AlertFact[]): string[] {
  const labels = facts.map((fact) => cleanText(fact.label).replaceAll('\n', ' '));
  const fitting = labels.map((label) => label.length).filter((length) => length <= LABEL_COLUMNS);
  const column = Math.max(0, ...fitting) + 2;
  return facts.flatMap((fact, index) => factLine(labels[index] ?? '', fact.value, column));
}

function factLine(label: string, value: string, column: number): string[] {
  const indent = ' '.repeat(column + 2);
  const [first = '', ...rest] = wrapText(value, COLUMNS - indent.length);
  const more = rest.map((line) => indent + line);
  if (label.length + 2 > column) return [`  ${label}`, indent + first, ...more];
  return [`  ${label.padEnd(column)}${first}`.trimEnd(), ...more];
}

/** A hanging indent shows where the next node begins. */
function listLines({ members = [] }: Alert): string[] {
  return memberLines(members).flatMap((line) =>
    wrapText(line, COLUMNS - 4).map((part, index) => (index === 0 ? `  ${part}` : `    ${part}`)),
  );
}

function originOf(alert: Alert): string {
  return [alert.stage, alert.instance, alert.node, utcText(alert.at), alert.event, `id=${alert.id}`].join(' | ');
}
