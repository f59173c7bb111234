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
  type YAMLError,
} from 'yaml';
import type { ConfigProblem } from './problem.ts';
import type { Path } from './show.ts';
import { explainSyntax } from './syntax.ts';
import { findTraps, MAX_ALIASES } from './traps.ts';

/** The YAML of a configuration, and where in the text each path stands. */
export interface ConfigDocument {
  /** What the YAML says, as plain values; undefined where it cannot be read at all. */
  readonly content: unknown;
  /** Problems of the YAML itself. */
  readonly problems: readonly ConfigProblem[];
  /** Line of the deepest part of the path that exists, from 1. */
  readonly lineOf: (path: Path) => number | undefined;
}

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
    // The library recurses into the nesting, and throws ReferenceError for aliases that multiply beyond the limit.
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
    uniqueKeys: false, // Pairwise comparison: 13 s for the 43,000 keys that fit into a file. findTraps is linear.
  });
  const syntax = explain([...document.errors, ...document.warnings], lineAt);
  if (syntax.length > 0) return { content: undefined, problems: syntax, lineOf: () => undefined };

  const traps = findTraps(document, lineAt);
  return {
    content: traps.readable ? document.toJS({ maxAliasCount: MAX_ALIASES }) : undefined,
    problems: traps.problems,
    lineOf: (path) => lineOf(document, path, lineAt),
  };
}

/** The first syntax errors, each once: an unclosed bracket in a deep nesting fails on every level. */
function explain(errors: readonly YAMLError[], lineAt: (offset: number) => number): ConfigProblem[] {
  const byPlace = new Map<string, ConfigProblem>();
  for (const { code, pos } of errors) {
    const line = lineAt(pos[0]);
    byPlace.set(`${line} ${code}`, { path: '', value: '', ...explainSyntax(code), line });
    if (byPlace.size === MAX_SYNTAX_PROBLEMS) break;
  }
  return [...byPlace.values()];
}

function unreadable(message: string, accepted: string): ConfigDocument {
  return { content: undefined, problems: [{ path: '', value: '', message, accepted }], lineOf: () => undefined };
}

function lineOf(document: Document, path: Path, lineAt: (offset: number) => number): number | undefined {
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
