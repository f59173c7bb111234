import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAst } from 'vitest/node';

/** The rooms of core/, from the top: imports go down this list only. docs/architecture.md says what each holds. */
const ROOMS = [
  'compose.ts',
  'reconcile',
  'managed',
  'audit',
  'reporting',
  'actions',
  'keys',
  'guards',
  'diagnosis',
  'leases',
  'discovery',
  'alerts',
  'state',
  'adapters',
  'ports',
  'format',
  'domain',
  'config',
];
const ROOT = join(import.meta.dirname, '..');
const SOURCES = globSync(
  ['core', 'functions', 'cli', 'infra', 'bench', 'scripts'].map((top) => `${top}/**/*.ts`),
  {
    cwd: ROOT,
  },
);
const IMPORTS = new Map(SOURCES.map((file) => [file, importsOf(file)]));

/** Of project files, types included, from the root. */
function importsOf(file: string): readonly string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const named = text.matchAll(/(?:from |import\(|import )'(\.[^']+)'/g);
  return [...named].map(([, path = '']) => normalize(join(dirname(file), path)));
}

const folderOf = (file: string) => file.split('/')[1] ?? '';
const roomOf = (file: string) => ROOMS.indexOf(folderOf(file));

/** Types, names and texts that every room speaks. */
const VOCABULARY = ['config', 'domain', 'format', 'ports'];

/** Of every function and method with a body of its own, from its first line to its last. */
function functionLengths(file: string): readonly { readonly at: string; readonly lines: number }[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const lineOf = (offset: number) => text.slice(0, offset).split('\n').length;
  const found: { readonly at: string; readonly lines: number }[] = [];
  const walk = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) return;
    const { type, start, end } = part as { readonly type?: string; readonly start: number; readonly end: number };
    if (type === 'FunctionDeclaration' || type === 'FunctionExpression') {
      const first = lineOf(start);
      found.push({ at: `${file}:${first}`, lines: lineOf(end) - first + 1 });
    }
    for (const one of Object.values(part)) walk(one);
  };
  walk(parseAst(text, { lang: 'ts' }).body);
  return found;
}

/** Files that can be reached from themselves, each with the way. */
function circles(): readonly string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (file: string, way: readonly string[]): void => {
    if (way.includes(file)) found.push([...way.slice(way.indexOf(file)), file].join(' > '));
    if (way.includes(file) || done.has(file)) return;
    for (const next of IMPORTS.get(file) ?? []) walk(next, [...way, file]);
    done.add(file);
  };
  for (const file of SOURCES) walk(file, []);
  return found;
}

describe('the structure of the sources', () => {
  test('has no circle of imports, types included', () => expect(circles()).toEqual([]));

  test('has every file of core/ in one of its rooms', () => {
    expect(SOURCES.filter((file) => file.startsWith('core/') && roomOf(file) < 0)).toEqual([]);
  });

  test('has no import upward within core/, and none out of it', () => {
    const upward = SOURCES.filter((file) => file.startsWith('core/')).flatMap((file) =>
      (IMPORTS.get(file) ?? [])
        .filter((target) => !target.startsWith('core/') || roomOf(target) < roomOf(file))
        .map((target) => `${file} > ${target}`),
    );
    expect(upward).toEqual([]);
  });

  test('needs at most three rooms above its own kind to understand a file of core/', () => {
    // It joins the rooms: that is its purpose.
    const root = 'core/compose.ts';
    const needing = SOURCES.filter((file) => file.startsWith('core/') && file !== root).map((file) => {
      const rooms = new Set((IMPORTS.get(file) ?? []).map(folderOf));
      return { file, rooms: [...rooms].filter((room) => room !== folderOf(file) && !VOCABULARY.includes(room)) };
    });
    expect(needing.filter(({ rooms }) => rooms.length > 3)).toEqual([]);
    expect(needing.filter(({ rooms }) => rooms.length === 3).length).toBeGreaterThan(0);
  });

  test('exports only what another file names', () => {
    const homes = new Map<string, number>();
    for (const file of [...SOURCES, ...globSync('test/**/*.ts', { cwd: ROOT })])
      for (const word of new Set(readFileSync(join(ROOT, file), 'utf8').match(/\w+/g)))
        homes.set(word, (homes.get(word) ?? 0) + 1);
    // Of that file, serverless.yml names the exports.
    const idle = SOURCES.filter((file) => file !== 'infra/serverless.ts').flatMap((file) =>
      [...readFileSync(join(ROOT, file), 'utf8').matchAll(/^export (?:async )?[a-z]+ (\w+)/gm)]
        .filter(([, name = '']) => homes.get(name) === 1)
        .map(([, name]) => `${file} ${name}`),
    );
    expect(idle).toEqual([]);
  });

  test('has files of at most 200 lines, tables of data included', () => {
    const long = SOURCES.filter((file) => readFileSync(join(ROOT, file), 'utf8').trimEnd().split('\n').length > 200);
    expect(long).toEqual([]);
  });

  test('has functions of at most 50 lines, and half of them of at most 15', () => {
    const functions = SOURCES.flatMap(functionLengths).toSorted((a, b) => a.lines - b.lines);
    expect(functions.filter(({ lines }) => lines > 50)).toEqual([]);
    expect(functions.length).toBeGreaterThan(1000);
    expect(functions[functions.length >> 1]?.lines).toBeLessThanOrEqual(15);
  });

  test('lets hosts import the public modules of docs/architecture.md only', () => {
    const page = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');
    const [, list = ''] = /<!-- public-modules[^>]*-->([\s\S]*?)<!-- \/public-modules -->/.exec(page) ?? [];
    const modules = [...list.matchAll(/`(core\/[^`]+)`/g)].map(([, path = '']) => path);
    const isPublic = (target: string) =>
      modules.some((one) => target === one || (one.endsWith('/') && target.startsWith(one)));
    const past = SOURCES.filter((file) => !file.startsWith('core/') && file !== 'infra/remove.ts').flatMap((file) =>
      (IMPORTS.get(file) ?? [])
        .filter((target) => target.startsWith('core/') && !isPublic(target))
        .map((target) => `${file} > ${target}`),
    );
    expect(modules.length).toBeGreaterThan(10);
    expect(past).toEqual([]);
    // The linter has the same list.
    const lint = readFileSync(join(ROOT, 'biome.json'), 'utf8');
    for (const one of modules) expect(lint).toContain(`"!**/${one.replace(/\/$/, '/*.ts')}"`);
  });
});
