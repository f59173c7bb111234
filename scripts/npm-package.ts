import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { bundleFunctions, NOTICES } from '../infra/build.ts';
import { noticesOf } from '../infra/notices.ts';
import manifest from '../package.json' with { type: 'json' };

/**
 * `npm run npm:package [folder]`: writes the package that goes to npm, into `dist/npm/` by default: the command line in one file, the bundled functions and what
 * deploys them. It has no dependencies, so that `npx offpeak` starts in a second, and no TypeScript: Node strips no types below
 * `node_modules`.
 */
const root = join(import.meta.dirname, '..');
const folder = resolve(process.argv[2] ?? join(root, 'dist', 'npm'));

rmSync(folder, { recursive: true, force: true });
await bundleFunctions(root, { out: join(folder, 'stack/dist') });

const shared: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node22',
  mainFields: ['module', 'main'],
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  metafile: true,
  logLevel: 'error',
  external: ['osls', 'supports-color'],
};
const asModule: BuildOptions = {
  ...shared,
  format: 'esm',
  banner: { js: "import{createRequire as $require}from'node:module';const require=$require(import.meta.url);" },
};

const made = await Promise.all([
  build({ ...asModule, entryPoints: ['cli/main.ts'], outfile: join(folder, 'cli/main.mjs') }),
  build({ ...asModule, entryPoints: ['infra/packed.ts'], outfile: join(folder, 'stack/deploy.mjs') }),
  build({
    ...shared,
    format: 'cjs',
    entryPoints: ['infra/serverless.cjs'],
    outfile: join(folder, 'stack/infra/serverless.cjs'),
  }),
]);
const outputs = Object.assign({}, ...made.map(({ metafile }) => metafile?.outputs));
writeFileSync(join(folder, NOTICES), noticesOf(root, { inputs: {}, outputs }));
cpSync(join(root, 'cli/offpeak.js'), join(folder, 'cli/offpeak.js'));
cpSync(join(root, 'serverless.yml'), join(folder, 'stack/serverless.yml'));
for (const file of ['README.md', 'LICENSE', 'CHANGELOG.md', 'config/example.yml', 'config/schema.json'])
  cpSync(join(root, file), join(folder, file));

const { name, version, description, license, type, bin } = manifest;
writeFileSync(
  join(folder, 'package.json'),
  `${JSON.stringify(
    {
      name,
      version,
      description,
      license,
      type,
      bin,
      keywords: ['redis', 'valkey', 'fragmentation', 'memory', 'defrag', 'lambda', 'elasticache'],
      // 22.13 is the first with node:sqlite without a flag.
      engines: { node: '>=22.13' },
      files: ['cli', 'stack', 'config', 'CHANGELOG.md', NOTICES],
      // Only `package`, `deploy` and `remove` need it.
      peerDependencies: { osls: manifest.devDependencies.osls },
      peerDependenciesMeta: { osls: { optional: true } },
      publishConfig: { access: 'public', provenance: true },
    },
    undefined,
    2,
  )}\n`,
);
