import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
  visit,
  type YAMLError,
} from 'yaml';
import type { ConfigProblem } from './problem.ts';
import type { Path } from './show.ts';
import { explainSyntax } from './syntax.ts';

/** The YAML of a configuration, and where in the text each path stands. */
export interface ConfigDocument {
  /** What the YAML says, as plain values; undefined where it cannot be read at all. */
  readonly content: unknown;
  /** Problems of the YAML itself. */
  readonly problems: readonly ConfigProblem[];
  /** Line of the deepest part of the path that exists, from 1. */
  readonly lineOf: (path: Path) => number | undefined;
}

/** The line of an offset in the text. */
type LineAt = (offset: number) => number;

/** Of a problem of the YAML itself: it has no key, and its value may be a secret. */
const NOWHERE = { path: '', value: '' } as const;

// Some 800 instances fit; a larger file is not a configuration, and every later step takes time in proportion.
const MAX_CHARACTERS = 256 * 1024;
// One mistake makes the rest of a file unreadable: errors after the first few are of no use.
const MAX_SYNTAX_PROBLEMS = 10;

/** Reads YAML text. Never throws, and never quotes the text: a malformed line may hold a secret. */
export function readDocument(text: string): ConfigDocument {
  if (text.length > MAX_CHARACTERS) {
    return unreadable(`the file has ${text.length} characters`, `at most ${MAX_CHARACTERS} characters`);
  }
  try {
    return read(text);
  } catch (error) {
    // The library recurses into the nesting, and throws ReferenceError for aliases that multiply beyond a hundred.
    if (error instanceof RangeError) return unreadable('the file is nested too deeply to be read', 'a few levels');
    if (error instanceof ReferenceError) return unreadable('the aliases of the file multiply', 'a few aliases');
    return unreadable('the file cannot be read as YAML', 'one YAML document');
  }
}

function read(text: string): ConfigDocument {
  const lines = new LineCounter();
  const lineAt = (offset: number) => lines.linePos(offset).line;
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false, // They quote the source, and with it a secret.
    stringKeys: true,
    logLevel: 'error',
  });
  const errors = [...document.errors, ...document.warnings];
  const isReadable = errors.every(({ code }) => code === 'DUPLICATE_KEY');
  const traps = isReadable ? findTraps(document, lineAt) : [];
  return {
    content: isReadable && traps.length === 0 ? document.toJS() : undefined,
    problems: [...explain(errors, lineAt), ...traps],
    lineOf: (path) => lineOf(document, path, lineAt),
  };
}

/** The first syntax errors, each once: an unclosed bracket in a deep nesting fails on every level. */
function explain(errors: readonly YAMLError[], lineAt: LineAt): ConfigProblem[] {
  const byPlace = Map.groupBy(errors, ({ code, pos }) => `${lineAt(pos[0])} ${code}`);
  return [...byPlace.values()]
    .slice(0, MAX_SYNTAX_PROBLEMS)
    .flatMap(([first]) => (first ? [{ ...NOWHERE, ...explainSyntax(first.code), line: lineAt(first.pos[0]) }] : []));
}

/** What YAML's grammar allows and a configuration must not have. */
function findTraps(document: Document, lineAt: LineAt): ConfigProblem[] {
  const anchors = new Set<string>();
  const traps: ConfigProblem[] = [];
  const refuse = (node: Node, message: string, accepted: string) =>
    traps.push({ ...NOWHERE, message, accepted, line: lineAt(node.range?.[0] ?? 0) });
  visit(document, {
    Node: (_, node) => {
      if (isAlias(node) && !anchors.has(node.source))
        refuse(node, 'an alias (*name) has no anchor above it', 'an anchor (&name) before its alias');
      if (!isAlias(node) && node.anchor !== undefined) anchors.add(node.anchor);
      if (isScalar(node) && isOverLines(node, lineAt))
        refuse(node, 'a value spreads over several lines: is a colon or a quote missing?', 'each value on one line');
    },
  });
  return traps;
}

/** A line without its colon or with an open quote is folded into the value above, and would be quoted with it. */
function isOverLines({ range }: Scalar, lineAt: LineAt): boolean {
  const [start, end] = range ?? [0, 0];
  return lineAt(start) !== lineAt(end);
}

function unreadable(message: string, accepted: string): ConfigDocument {
  return { content: undefined, problems: [{ ...NOWHERE, message, accepted }], lineOf: () => undefined };
}

function lineOf(document: Document, path: Path, lineAt: LineAt): number | undefined {
  let at = document.contents as unknown;
  let start = isNode(at) ? at.range?.[0] : undefined;
  for (const key of path) {
    const next = step(isAlias(at) ? at.resolve(document) : at, key);
    if (next === undefined) break;
    start = next.start ?? start;
    at = next.node;
  }
  return start === undefined ? undefined : lineAt(start);
}

/** The node under a key or index, and where it begins: at its key, as the value may stand lines below. */
function step(parent: unknown, key: PropertyKey): { node: unknown; start: number | undefined } | undefined {
  if (isSeq(parent) && typeof key === 'number') {
    const node = parent.items[key];
    return isNode(node) ? { node, start: node.range?.[0] } : undefined;
  }
  if (!isMap(parent)) return undefined;
  const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === key);
  return pair === undefined ? undefined : { node: pair.value, start: (pair.key as Node).range?.[0] };
}
