import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { sectionOf, UNRELEASED } from './changelog.ts';

/**
 * `npm run release -- 0.2.0` (or major, minor, patch): the version into package.json, what is unreleased in CHANGELOG.md under that
 * version, a commit and a tag. It refuses where anything is off, and pushes nothing.
 */
const BRANCH = 'main';
const FILES = ['package.json', 'package-lock.json', 'CHANGELOG.md'].filter((file) => existsSync(file));

class Refusal extends Error {
  override readonly name = 'Refusal';
}

const git = (...args: readonly string[]) => execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe' }).trim();
const read = (file: string) => readFileSync(file, 'utf8');
const say = (text: string) => process.stdout.write(`${text}\n`);

function numbersOf(version: string): readonly [major: number, minor: number, patch: number] {
  const [, major, minor, patch] = /^(\d+)\.(\d+)\.(\d+)$/.exec(version) ?? [];
  if (major === undefined) throw new Refusal(`"${version}" is not a version: write major, minor, patch or x.y.z`);
  return [Number(major), Number(minor), Number(patch)];
}

function nextVersion(current: string, asked: string): string {
  const [major, minor, patch] = numbersOf(current);
  if (asked === 'major') return `${major + 1}.0.0`;
  if (asked === 'minor') return `${major}.${minor + 1}.0`;
  if (asked === 'patch') return `${major}.${minor}.${patch + 1}`;
  return asked;
}

/** The version of package.json itself is good as well: the first release, whose tag is not there yet. */
function isBehind(version: string, current: string): boolean {
  return version.localeCompare(current, 'en', { numeric: true }) < 0;
}

function obstacles(version: string, current: string): readonly string[] {
  const changelog = read('CHANGELOG.md');
  const branch = git('rev-parse', '--abbrev-ref', 'HEAD');
  const changed = git('status', '--porcelain');
  const unreleased = sectionOf(changelog, UNRELEASED);
  return [
    ...(branch === BRANCH ? [] : [`this is the branch ${branch}: releases are made on ${BRANCH}`]),
    ...(changed === '' ? [] : [`the work tree is not clean:\n${changed}`]),
    ...(isBehind(version, current) ? [`${version} is before ${current}`] : []),
    ...(git('tag', '--list', `v${version}`) === '' ? [] : [`the tag v${version} is there already`]),
    ...(sectionOf(changelog, `[${version}]`) === undefined ? [] : [`CHANGELOG.md has ${version} already`]),
    ...(unreleased ? [] : [`CHANGELOG.md has nothing under "## ${UNRELEASED}"`]),
  ];
}

function release(version: string): void {
  const today = new Date().toISOString().slice(0, 10);
  try {
    const options = ['--no-git-tag-version', '--allow-same-version', '--ignore-scripts'];
    execFileSync('npm', ['version', version, ...options], { stdio: 'pipe' });
    const above = `## ${UNRELEASED}\n`;
    writeFileSync('CHANGELOG.md', read('CHANGELOG.md').replace(above, `${above}\n## [${version}] - ${today}\n`));
    git('add', '--', ...FILES);
    git('commit', '--quiet', '-m', `Release ${version}`);
  } catch (error) {
    git('checkout', '--quiet', 'HEAD', '--', ...FILES);
    throw error;
  }
  git('tag', '--annotate', `v${version}`, '-m', `Offpeak ${version}`);
}

try {
  const [asked = '', ...others] = process.argv.slice(2);
  if (others.length > 0) throw new Refusal(`one argument is enough: ${others.join(' ')} is not known`);
  const { version: current } = JSON.parse(read('package.json')) as { version: string };
  const version = nextVersion(current, asked);
  numbersOf(version);
  const found = obstacles(version, current);
  if (found.length > 0) throw new Refusal(found.join('\n'));
  release(version);
  say(`Released ${version} here. To publish it: git push --follow-tags origin ${BRANCH}`);
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  process.stderr.write(`Not released: ${error.message}\n`);
  process.exitCode = 1;
}
