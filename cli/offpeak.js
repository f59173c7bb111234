#!/usr/bin/env node
// JavaScript, so that an older Node can say what is missing, and this one starts without its reader of TypeScript.
import * as loader from 'node:module';
import { join } from 'node:path';

const OLDEST = 24;

if (Number.parseInt(process.versions.node, 10) < OLDEST) {
  process.stderr.write(
    `offpeak: this is Node ${process.versions.node}; accepted: ${OLDEST} or newer. npm ci installs one for this clone, which npx offpeak takes\n`,
  );
  process.exitCode = 2;
} else {
  const root = join(import.meta.dirname, '..');
  // Node keeps what it has compiled, each file by its content.
  loader.enableCompileCache(join(root, 'node_modules/.cache/offpeak/compiled'));
  const { start } = await import('./bundle.ts');
  await start(root);
}
