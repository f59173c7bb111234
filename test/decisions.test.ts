import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

describe('the decision records', () => {
  const records = globSync('docs/adr/[0-9]*.md', { cwd: ROOT }).toSorted();

  // A number is taken when the work on it begins: another branch may land first.
  test('have a number each, and are listed', () => {
    const index = read('docs/adr/README.md');
    expect(new Set(records.map((path) => basename(path).slice(0, 4))).size).toBe(records.length);
    const listed = [...index.matchAll(/^\| \[\d{4}\]\(([^)]+)\) \| (.+) \| \S+ \| \S.* \|$/gm)].map(
      ([, file, title]) => [file, title],
    );
    expect(listed).toEqual(records.map((path) => [basename(path), /^# \d{4}\. (.+)$/m.exec(read(path))?.[1]]));
  });

  test.each(records)('%s has its number, a date, a status and its parts', (path) => {
    expect(read(path)).toMatch(
      new RegExp(
        `^# ${basename(path).slice(0, 4)}\\. [^\\n]+\\n\\nDate: \\d{4}-\\d\\d-\\d\\d\\. Status: (accepted|superseded by \\d{4})\\.\\n`,
      ),
    );
    expect([...read(path).matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)).toEqual([
      'Context',
      'Decision',
      'Alternatives',
      'Consequences',
    ]);
  });
});
