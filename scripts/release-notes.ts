import { readFileSync } from 'node:fs';
import { sectionOf } from './changelog.ts';

/** `node scripts/release-notes.ts v0.2.0`: what CHANGELOG.md says of the version of a tag, if that is the version of package.json. */
const tag = process.argv[2] ?? '';
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const notes = sectionOf(readFileSync('CHANGELOG.md', 'utf8'), `[${version}]`);

if (tag !== `v${version}` || !notes) {
  const why = notes ? `package.json has ${version}` : `CHANGELOG.md says nothing of ${version}`;
  process.stderr.write(`The tag "${tag}" does not fit: ${why}. Make releases with \`npm run release\`.\n`);
  process.exitCode = 1;
} else {
  process.stdout.write(`${notes}\n`);
}
