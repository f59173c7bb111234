import { rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';
import type { Config } from '../core/config/schema.ts';
import { FUNCTIONS, jobFunctions, writePackagedConfig } from './functions.ts';
import { noticesOf } from './notices.ts';

type FunctionKey = keyof typeof FUNCTIONS;

/** The licences of what is bundled, in each package. */
export const NOTICES = 'THIRD-PARTY-NOTICES.txt';

/** `debug`, which ioredis has, colours its lines with it where it finds it. Here only a development dependency has it. */
export const NOT_BUNDLED = ['supports-color'];

/** What was built of one function. */
export interface Built {
  readonly folder: string;
  /** All its files. */
  readonly bytes: number;
  /** What a start loads; the rest is loaded with the first secret of its kind. */
  readonly entryBytes: number;
  /** Which files a start loads, as the metafile names them. */
  readonly started: ReadonlySet<string>;
  readonly metafile: Metafile;
}

/**
 * Bundles the functions that the configuration needs into `dist/<folder>/`, and puts it, checked, beside each function of the job.
 * ESM in pieces: what is only sometimes needed (SNS, SSM, Secrets Manager) stays out of the start
 * (docs/adr/0006-esm-in-chunks.md has the figures).
 */
export async function buildFunctions(
  root: string,
  config: Config,
  keys: readonly FunctionKey[] = [...jobFunctions(config), 'notifySlack'],
): Promise<readonly Built[]> {
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  const built = await bundleFunctions(root, { keys });
  writePackagedConfig(root, config);
  return built;
}

/** Bundles every function into `<out>/<folder>/`, without a configuration. */
export async function bundleFunctions(
  root: string,
  { out = join(root, 'dist'), keys }: { readonly out?: string; readonly keys?: readonly FunctionKey[] } = {},
): Promise<readonly Built[]> {
  const built: Built[] = [];
  for (const [key, folder] of Object.entries(FUNCTIONS)) {
    if (keys?.some((one) => one === key) === false) continue;
    const { metafile } = await bundle(root, folder, join(out, folder));
    writeFileSync(join(out, folder, NOTICES), noticesOf(root, metafile));
    built.push(measure(folder, metafile, relative(root, join(out, folder))));
  }
  return built;
}

function bundle(root: string, folder: string, outdir: string) {
  return build({
    absWorkingDir: root,
    entryPoints: { handler: join('functions', folder, 'handler.ts') },
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    minify: true,
    // The ES modules that packages ship for bundlers: the default prefers CommonJS, which is bundled whole.
    mainFields: ['module', 'main'],
    external: NOT_BUNDLED,
    legalComments: 'none',
    metafile: true,
    logLevel: 'error',
    // ioredis is CommonJS, and requires Node's own modules.
    banner: { js: "import{createRequire as __r}from'node:module';const require=__r(import.meta.url);" },
    plugins: [withoutTerminal],
  });
}

/**
 * A package leaves out what only a run from a terminal needs. It carries its configuration as JSON, which was checked, without the YAML
 * parser and the schema. Its state is in the table, because a container's files end with it.
 */
const withoutTerminal: Plugin = {
  name: 'without-terminal',
  setup(bundler) {
    bundler.onLoad({ filter: /[\\/]core[\\/]state[\\/]file[\\/]file-store\.ts$/ }, () => ({
      loader: 'ts',
      contents: `export function createFileStore() {
        throw new Error('a packaged function keeps its state in a table, and in no file');
      }`,
    }));
    bundler.onLoad({ filter: /[\\/]core[\\/]config[\\/]parse\.ts$/ }, () => ({
      loader: 'ts',
      contents: `export function parseConfig() {
        const message = 'a packaged function reads the JSON that packaging has made of the configuration, and no YAML';
        return { ok: false, problems: [{ path: '', value: '', message, accepted: 'a file that ends in .json' }] };
      }`,
    }));
  },
};

function measure(folder: string, metafile: Metafile, outdir: string): Built {
  const { outputs } = metafile;
  const files = Object.entries(outputs);
  const loadedBy = (path: string, seen: Set<string>): Set<string> => {
    if (seen.has(path)) return seen;
    seen.add(path);
    for (const { path: next, kind } of outputs[path]?.imports ?? []) {
      if (kind === 'import-statement' && next in outputs) loadedBy(next, seen);
    }
    return seen;
  };
  const started = loadedBy(join(outdir, 'handler.mjs'), new Set());
  const sum = (chosen: typeof files) => chosen.reduce((total, [, { bytes }]) => total + bytes, 0);
  const entryBytes = sum(files.filter(([path]) => started.has(path)));
  return { folder, bytes: sum(files), entryBytes, started, metafile };
}
