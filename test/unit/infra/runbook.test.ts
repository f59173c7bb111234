import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runbookOfClone, withRunbook } from '../../../infra/runbook.ts';
import { deployable, QUEUE, stackFile } from './stacks.ts';

const ON_GITHUB = 'https://github.com/redis-team/offpeak/blob/HEAD/docs/runbook.md';

test.each([
  ['https://github.com/redis-team/offpeak.git', ON_GITHUB],
  ['https://github.com/redis-team/offpeak/', ON_GITHUB],
  ['https://me:ghp_secret@github.com/redis-team/offpeak.git\n', ON_GITHUB],
  ['git@github.com:redis-team/offpeak.git', ON_GITHUB],
  ['ssh://git@github.com/redis-team/offpeak', ON_GITHUB],
  ['ssh://git@github.com:22/redis-team/offpeak.git', ON_GITHUB],
  ['https://me:123@github.com:443/redis-team/offpeak.git', ON_GITHUB],
  [
    'git@gitlab.com:group/sub.group/offpeak.git',
    'https://gitlab.com/group/sub.group/offpeak/-/blob/HEAD/docs/runbook.md',
  ],
  ['https://git.intern.example/redis-team/offpeak.git', undefined],
  ['https://constructor/a/b', undefined],
  ['/srv/git/offpeak.git', undefined],
  ['', undefined],
])('the runbook of the clone of %j is at %j', (remote, page) => {
  expect(runbookOfClone(remote)).toBe(page);
});

test('it is the default: an address in the config wins, and without a remote there is none', () => {
  const root = mkdtempSync(join(tmpdir(), 'offpeak-runbook-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const { runbook, ...config } = deployable(stackFile([QUEUE]));
  execFileSync('git', ['init', '--quiet', root]);
  expect(withRunbook(config, root)).toEqual(config);
  execFileSync('git', ['-C', root, 'remote', 'add', 'origin', 'git@github.com:redis-team/offpeak.git']);
  // A folder of one's own with only config/: the remote is that of another repository.
  expect(withRunbook(config, root)).toEqual(config);
  mkdirSync(join(root, 'docs'));
  writeFileSync(join(root, 'docs/runbook.md'), '');
  expect(withRunbook(config, root)).toEqual({ ...config, runbook: ON_GITHUB });
  expect(withRunbook({ ...config, runbook: runbook ?? '' }, root)).toEqual({ ...config, runbook });
});
