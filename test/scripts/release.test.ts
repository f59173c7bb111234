import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const SCRIPTS = join(import.meta.dirname, '../../scripts');
const CHANGELOG =
  '# Changelog\n\n## [Unreleased]\n\n### Added\n\n* One thing.\n\n## [0.1.0] - 2026-11-24\n\n* The first.\n';
/** The rule on subjects holds from a date on; these commits are later. */
const LATER = '2030-01-01T00:00:00Z';
const IDENTITY = {
  GIT_AUTHOR_NAME: 'A',
  GIT_AUTHOR_EMAIL: 'a@b.c',
  GIT_COMMITTER_NAME: 'A',
  GIT_COMMITTER_EMAIL: 'a@b.c',
  GIT_COMMITTER_DATE: LATER,
};

let folder: string;
const inFolder = (command: string, ...args: readonly string[]) =>
  spawnSync(command, args, { cwd: folder, encoding: 'utf8', env: { ...process.env, ...IDENTITY } });
const git = (...args: readonly string[]) => inFolder('git', ...args).stdout.trim();
const run = (script: string, ...args: readonly string[]) => inFolder(process.execPath, join(SCRIPTS, script), ...args);
const read = (file: string) => readFileSync(join(folder, file), 'utf8');
const write = (file: string, text: string) => writeFileSync(join(folder, file), text);

function commit(subject: string): void {
  git('add', '--all');
  git('commit', '--quiet', '--allow-empty', '-m', subject);
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'offpeak-release-'));
  git('init', '--quiet', '--initial-branch=main');
  write('package.json', '{\n  "name": "offpeak",\n  "version": "0.1.0"\n}\n');
  write('package-lock.json', JSON.stringify({ version: '0.1.0', packages: { '': { version: '0.1.0' } } }));
  write('CHANGELOG.md', CHANGELOG);
  commit('A beginning');
  git('tag', 'v0.1.0');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a release', () => {
  test.each([
    ['patch', '0.1.1'],
    ['minor', '0.2.0'],
    ['major', '1.0.0'],
    ['0.10.0', '0.10.0'],
  ])('%s: version, changelog, commit and tag', (asked, version) => {
    expect(run('release.ts', asked)).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(read('package.json'))).toEqual({ name: 'offpeak', version });
    expect(JSON.parse(read('package-lock.json'))).toEqual({ version, packages: { '': { version } } });
    expect(read('CHANGELOG.md')).toMatch(
      `# Changelog\n\n## [Unreleased]\n\n## [${version}] - ${new Date().toISOString().slice(0, 4)}`,
    );
    expect(read('CHANGELOG.md')).toMatch(
      /-\d\d-\d\d\n\n### Added\n\n\* One thing\.\n\n## \[0\.1\.0\] - 2026-11-24\n\n\* The first\.\n$/,
    );
    expect(git('status', '--porcelain')).toBe('');
    expect(git('log', '-1', '--format=%s %D')).toBe(`Release ${version} HEAD -> main, tag: v${version}`);
    expect(run('release-notes.ts', `v${version}`)).toMatchObject({ status: 0, stdout: '### Added\n\n* One thing.\n' });
  });

  test('the first one may have the version that package.json has already', () => {
    git('tag', '--delete', 'v0.1.0');
    write('CHANGELOG.md', '# Changelog\n\n## [Unreleased]\n\n* The first.\n');
    commit('Nothing is released yet');
    expect(run('release.ts', '0.1.0')).toMatchObject({ status: 0, stderr: '' });
    expect(git('tag', '--list')).toBe('v0.1.0');
  });
});

describe('nothing is released', () => {
  test.each<readonly [why: string, prepare: () => void, asked: string, says: RegExp]>([
    [
      'with a change that is not committed',
      () => write('package.json', '{ "version": "0.1.0" }'),
      'minor',
      /not clean:\nM package/,
    ],
    ['with a file that git does not know', () => write('new.ts', ''), 'minor', /not clean:\n\?\? new\.ts/],
    ['on another branch', () => git('checkout', '-qb', 'idea'), 'minor', /branch idea: releases are made on main/],
    ['with a tag that is there', () => git('tag', 'v0.2.0'), '0.2.0', /the tag v0\.2\.0 is there already/],
    ['with an older version', () => {}, '0.0.9', /0\.0\.9 is before 0\.1\.0/],
    [
      'with a version that the changelog has',
      () => git('tag', '-d', 'v0.1.0'),
      '0.1.0',
      /CHANGELOG\.md has 0\.1\.0 already/,
    ],
    ['without a version', () => {}, '', /"" is not a version/],
    ['with a version of another form', () => {}, '1.0', /"1\.0" is not a version/],
    [
      'with nothing to release',
      () => {
        write('CHANGELOG.md', '# Changelog\n\n## [Unreleased]\n\n## [0.1.0] - 2026-11-24\n\n* The first.\n');
        commit('Nothing new');
      },
      'minor',
      /nothing under "## \[Unreleased\]"/,
    ],
  ])('%s', (_, prepare, asked, says) => {
    prepare();
    const before = [git('rev-parse', 'HEAD'), git('tag', '--list'), git('status', '--porcelain')];
    expect(run('release.ts', asked)).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(says) });
    expect([git('rev-parse', 'HEAD'), git('tag', '--list'), git('status', '--porcelain')]).toEqual(before);
  });

  test('when git refuses the commit, and the files are as before', () => {
    write('.git/hooks/pre-commit', '#!/bin/sh\nexit 1\n');
    inFolder('chmod', '+x', '.git/hooks/pre-commit');
    expect(run('release.ts', 'minor').status).toBe(1);
    expect(git('status', '--porcelain')).toBe('');
    expect(git('tag', '--list')).toBe('v0.1.0');
  });
});

test('a tag that was not made by a release has no notes', () => {
  expect(run('release-notes.ts', 'v9.9.9')).toMatchObject({
    status: 1,
    stdout: '',
    stderr: expect.stringContaining('v9.9.9'),
  });
});

describe('subjects of commits', () => {
  test('72 characters are not too long', () => {
    commit('x'.repeat(72));
    expect(run('commit-subjects.ts', 'v0.1.0..HEAD')).toMatchObject({ status: 0, stderr: '' });
  });

  test.each([[[]], [['v0.1.0..HEAD']]])('73 are (%j)', (range) => {
    commit('ü'.repeat(73));
    const { status, stderr } = run('commit-subjects.ts', ...range);
    expect(status).toBe(1);
    expect(stderr).toMatch(/ü{73} \(73\)/);
  });
});
