#!/usr/bin/env node
// JavaScript, so that an older Node can say what is missing, and this one starts without its reader of TypeScript.
import { existsSync } from 'node:fs';
import * as loader from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The package from npm has the command line in one file. A clone has the sources, whose types Node strips since 24. */
const packed = join(import.meta.dirname, 'main.mjs');
const isPacked = existsSync(packed);
const [major, minor] = isPacked ? [22, 13] : [24, 0];
const [ownMajor = 0, ownMinor = 0] = process.versions.node.split('.').map(Number);

if (ownMajor < major || (ownMajor === major && ownMinor < minor)) {
  const remedy = isPacked
    ? 'Install one from nodejs.org'
    : 'npm ci installs one for this clone, which npx offpeak takes';
  process.stderr.write(
    `offpeak: this is Node ${process.versions.node}; accepted: ${major}.${minor} or newer. ${remedy}\n`,
  );
  process.exitCode = 2;
} else if (isPacked) {
  if (ownMajor < 24) withoutSqliteWarning();
  loader.enableCompileCache(join(tmpdir(), 'offpeak-compiled'));
  await import(pathToFileURL(packed).href);
} else {
  const root = join(import.meta.dirname, '..');
  // Node keeps what it has compiled, each file by its content.
  loader.enableCompileCache(join(root, 'node_modules/.cache/offpeak/compiled'));
  const { start } = await import('./bundle.ts');
  await start(root);
}

/** Before Node 24, node:sqlite warns at each start that it may change. What it has here is in 24 as it is in 22. */
function withoutSqliteWarning() {
  const [print] = process.listeners('warning');
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (warning.name !== 'ExperimentalWarning' || !/SQLite/.test(warning.message)) print?.(warning);
  });
}
