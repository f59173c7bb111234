import type { Built } from '../../infra/build.ts';
import { packageOf } from '../../infra/notices.ts';

/** The part of one package, or of one folder of Offpeak, in a bundle. */
interface Content {
  readonly name: string;
  /** Bytes, minified, of what a start loads. */
  readonly start: number;
  /** Bytes of what is loaded when it is needed, or never. */
  readonly later: number;
  /** The shortest way from a file of Offpeak to it: `core/adapters/aws/clients.ts > @aws-sdk/client-cloudwatch`; `offpeak` for its own files. */
  readonly because: string;
}

/** The largest first. */
export function contentsOf({ metafile, started }: Pick<Built, 'metafile' | 'started'>): readonly Content[] {
  const sizes = new Map<string, { start: number; later: number }>();
  for (const [output, { inputs }] of Object.entries(metafile.outputs)) {
    for (const [input, { bytesInOutput }] of Object.entries(inputs)) {
      const size = sizes.get(ownerOf(input)) ?? { start: 0, later: 0 };
      size[started.has(output) ? 'start' : 'later'] += bytesInOutput;
      sizes.set(ownerOf(input), size);
    }
  }
  const ways = waysTo(metafile.inputs);
  return [...sizes]
    .map(([name, size]) => ({ name, ...size, because: ways.get(name) || 'offpeak' }))
    .toSorted((a, b) => b.start + b.later - (a.start + a.later));
}

/** The package of a file; for a file of Offpeak, its folder. */
function ownerOf(path: string): string {
  return packageOf(path)?.name ?? shortOf(path).replace(/\/[^/]+$/, '');
}

function shortOf(path: string): string {
  return path.replace(/^.*?functions\//, '');
}

/** By package: how the handlers, or the command line, come to it, breadth first, so that the way is a shortest one. */
function waysTo(inputs: Built['metafile']['inputs']): ReadonlyMap<string, string> {
  const entries = Object.keys(inputs).filter((path) => /\/(handler|offpeak)\.ts$/.test(path));
  const ways = new Map<string, string>();
  const seen = new Set(entries);
  let queue = entries.map((path) => ({ path, way: [shortOf(path)] }));
  while (queue.length > 0) {
    const next: typeof queue = [];
    for (const { path, way } of queue) {
      if (!ways.has(ownerOf(path))) ways.set(ownerOf(path), way.slice(0, -1).join(' > '));
      for (const { path: target } of inputs[path]?.imports ?? []) {
        if (seen.has(target) || inputs[target] === undefined) continue;
        seen.add(target);
        next.push({ path: target, way: extended(way, target) });
      }
    }
    queue = next;
  }
  return ways;
}

/** Of Offpeak's files only the last one is shown, and of a package's files only its name. */
function extended(way: readonly string[], target: string): string[] {
  if (!target.includes('node_modules/')) return [shortOf(target)];
  const name = ownerOf(target);
  return way.at(-1) === name ? [...way] : [...way, name];
}
