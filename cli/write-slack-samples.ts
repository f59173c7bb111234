import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { slackSamples } from '../test/unit/functions/notify-slack/samples.ts';

// A test compares the checked-in file with the messages: run this when it fails (`node cli/write-slack-samples.ts`).
// The alerts in it are those that the job's own tests produce, which is why the samples live in test/.
const file = fileURLToPath(new URL('../docs/slack-messages.json', import.meta.url));
const biome = fileURLToPath(new URL('../node_modules/@biomejs/biome/bin/biome', import.meta.url));
mkdirSync(new URL('../docs/', import.meta.url), { recursive: true });
writeFileSync(file, JSON.stringify(slackSamples()));
execFileSync(process.execPath, [biome, 'format', '--write', file], { stdio: 'inherit' });
