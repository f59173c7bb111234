import { readdirSync, readFileSync } from 'node:fs';

interface Descendant {
  readonly pid: number;
  readonly command: string;
}

/** Its children, and theirs. */
export function descendants(pid: number): readonly Descendant[] {
  const all = readdirSync('/proc').flatMap((name) => {
    try {
      const [, parent = ''] = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${name}/status`, 'utf8')) ?? [];
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
      return [{ pid: Number(name), parent: Number(parent), command }];
    } catch {
      // No process, or one that ended while we looked.
      return [];
    }
  });
  const of = (parent: number): typeof all =>
    all.filter((one) => one.parent === parent).flatMap((one) => [one, ...of(one.pid)]);
  return of(pid);
}
