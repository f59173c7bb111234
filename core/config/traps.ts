import { type Document, isAlias, isMap, isNode, isPair, isScalar, isSeq, type Scalar, visit, type YAMLMap } from 'yaml';
import type { ConfigProblem } from './problem.ts';
import { type Path, showPath, showUnknownKey } from './show.ts';

/** Enough for a window that many instances share; far fewer than an alias bomb or a slow look-up needs. */
export const MAX_ALIASES = 100;

type LineAt = (offset: number) => number;

interface Traps {
  readonly problems: readonly ConfigProblem[];
  /** Whether the values of the document may be read and quoted. */
  readonly readable: boolean;
}

/**
 * What YAML's grammar allows and a configuration must not have: keys written twice, values over several lines, aliases
 * of nothing or too many.
 */
export function findTraps(document: Document, lineAt: LineAt): Traps {
  const repeated: ConfigProblem[] = [];
  const unreadable: ConfigProblem[] = [];
  const anchors = new Set<string>();
  let aliases = 0;
  visit(document, {
    Node: (_, node, ancestors) => {
      if (isMap(node)) repeated.push(...findRepeatedKeys(node, ancestors, lineAt));
      if (isScalar(node)) unreadable.push(...refuseSeveralLines(node, lineAt));
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchors.add(node.anchor);
        return undefined;
      }
      aliases += 1;
      if (anchors.has(node.source) && aliases <= MAX_ALIASES) return undefined;
      unreadable.push(refuseAlias(aliases, lineAt(startOf(node))));
      return aliases > MAX_ALIASES ? visit.BREAK : undefined;
    },
  });
  return { problems: [...repeated, ...unreadable], readable: unreadable.length === 0 };
}

/** A line without its colon or with an open quote is folded into the value above, and would be quoted with it. */
function refuseSeveralLines(scalar: Scalar, lineAt: LineAt): ConfigProblem[] {
  const [start, end] = scalar.range ?? [0, 0];
  const line = lineAt(start);
  if (lineAt(end) === line) return [];
  const message = 'a value spreads over several lines: is a colon or a quote missing?';
  return [{ path: '', value: '', message, accepted: 'each value on one line', line }];
}

function refuseAlias(aliases: number, line: number): ConfigProblem {
  const tooMany = aliases > MAX_ALIASES;
  return {
    path: '',
    value: '',
    message: tooMany ? `the file has more than ${MAX_ALIASES} aliases` : 'an alias (*name) has no anchor above it',
    accepted: tooMany ? 'what instances share, under `defaults`' : 'an anchor (&name) before its alias',
    line,
  };
}

function findRepeatedKeys(map: YAMLMap, ancestors: readonly unknown[], lineAt: LineAt): ConfigProblem[] {
  const seen = new Set<unknown>();
  return map.items.flatMap(({ key }) => {
    if (!isScalar(key) || !seen.has(key.value)) {
      if (isScalar(key)) seen.add(key.value);
      return [];
    }
    const path = pathOf([...ancestors, map]);
    const shown = showUnknownKey(String(key.value), path, false);
    return {
      path: showPath(shown === undefined ? path : [...path, shown]),
      value: '',
      message: shown === undefined ? 'a key is written twice' : `the key \`${shown}\` is written twice`,
      accepted: 'each key once',
      line: lineAt(startOf(key)),
    };
  });
}

function pathOf(nodes: readonly unknown[]): Path {
  return nodes.flatMap((node, depth): PropertyKey[] => {
    if (isPair(node)) return isScalar(node.key) ? [String(node.key.value)] : [];
    return isSeq(node) ? [node.items.indexOf(nodes[depth + 1])] : [];
  });
}

function startOf(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}
