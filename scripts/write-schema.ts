import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { configJsonSchema } from '../core/config/json-schema.ts';

// A test compares the checked-in file with the schema: run this when it fails (`npm run schema`).
const file = fileURLToPath(new URL('../config/schema.json', import.meta.url));
const biome = fileURLToPath(new URL('../node_modules/@biomejs/biome/bin/biome', import.meta.url));
writeFileSync(file, JSON.stringify(configJsonSchema()));
execFileSync(process.execPath, [biome, 'format', '--write', file], { stdio: 'inherit' });
