import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';

const LICENCE_FILE = /^(licen[cs]e|copying|notice)\b/i;

/** Asks for nothing, not even for its own text. */
const WITHOUT_CONDITIONS = 'MIT-0';

interface Package {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly author?: string | { readonly name?: string };
  /** Empty where the package has no licence file. */
  readonly text: string;
}

/** The folder of the package that a file belongs to, and its name; undefined for a file of Offpeak. */
export function packageOf(path: string): { readonly folder: string; readonly name: string } | undefined {
  const [folder, name] = /.*\bnode_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path) ?? [];
  return folder === undefined || name === undefined ? undefined : { folder, name };
}

/**
 * What the licences of the bundled packages require: their texts beside the code. Packages with the same text share it (as those of AWS);
 * a package without a licence file is named with its author, and refers to another one with the same licence. Always in the same order, so
 * that the zip stays the same.
 *
 * @throws Error naming a package whose licence is in no file: the package must not be passed on without it
 */
export function noticesOf(root: string, { outputs }: Metafile): string {
  const shipped = Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );
  const folders = new Set(shipped.flatMap((path) => packageOf(path)?.folder ?? []));
  const packages = [...folders].sort().map((folder) => read(join(root, folder)));
  const byText = Map.groupBy(
    packages.filter(({ text }) => text !== ''),
    ({ text }) => text,
  );
  const texts = [...byText].map(([text, those]) => `${those.map(titleOf).join('\n')}\n\n${text}\n`);
  const without = packages
    .filter(({ text }) => text === '')
    .map((one) => `${titleOf(one)}: ${elsewhere(one, packages)}\n`);
  const parts = [...texts, ...(without.length > 0 ? [without.join('')] : [])];
  return `The code in this folder holds the following software, under these licences.\n\n${parts.join(`\n${'-'.repeat(80)}\n\n`)}`;
}

function read(folder: string): Package {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Omit<Package, 'text'>;
  return { ...manifest, text: licenceText(folder) };
}

function titleOf({ name, version, license = 'no licence' }: Package): string {
  return `${name} ${version} (${license})`;
}

function elsewhere(one: Package, packages: readonly Package[]): string {
  const { license, author } = one;
  const by = `by ${(typeof author === 'string' ? author : author?.name) ?? 'its contributors'}`;
  if (license === WITHOUT_CONDITIONS) return `${by}; its licence asks for no notice`;
  const same = packages.find((other) => other.text !== '' && other.license === license);
  if (same === undefined || license === undefined)
    throw new Error(`${titleOf(one)} has no licence file, and no other package has the text: it cannot be packaged`);
  return `${by}; for the text of its licence see ${same.name}`;
}

function licenceText(folder: string): string {
  const files = readdirSync(folder).filter((file) => LICENCE_FILE.test(file));
  const texts = files.sort().map((file) => readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim());
  return texts.join('\n\n');
}
