import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../core/config/schema.ts';

/** The headings of docs/runbook.md to which alarms link. */
const HEADINGS = {
  fragmentationWarning: 'Fragmentation, warning',
  fragmentationCritical: 'Fragmentation, critical',
  rssCritical: 'RSS near the limit',
  unreachable: 'Unreachable',
  jobErrors: 'Job errors',
  jobNotRunning: 'Job not running',
  jobNotReached: 'Nodes not reached',
  jobMisconfigured: 'Nodes misconfigured',
  jobUndiscovered: 'Instances undiscovered',
  jobThrottled: 'Job throttled',
  jobDeadLetters: 'Job dead letters',
  workNotRunning: 'Workers not running',
  workDeadLetters: 'Batch dead letters',
  workQueueAge: 'Batches late',
  notifierErrors: 'Notifier errors',
  notifierDeadLetters: 'Notifier dead letters',
  undelivered: 'Alerts undelivered',
} as const;

/** As GitHub makes it of a heading: `fragmentation-warning`. */
const anchorOf = (heading: string) => heading.toLowerCase().replaceAll(',', '').replaceAll(' ', '-');

export const ANCHORS = Object.fromEntries(
  Object.entries(HEADINGS).map(([section, heading]) => [section, anchorOf(heading)]),
) as Readonly<Record<keyof typeof HEADINGS, string>>;

const PAGE = 'docs/runbook.md';

/** Where the web pages of a remote show the files of its default branch. */
const FORGES: Readonly<Record<string, string>> = {
  'github.com': 'blob/HEAD',
  'gitlab.com': '-/blob/HEAD',
};

/**
 * Where this runbook can be read, by the remote of the clone that is deployed: `git@github.com:<owner>/<name>.git`, or the same over ssh or
 * https, also with a port. Of the remote only host and path are used: an address may hold a token. Undefined for other hosts, whose pages may be anywhere.
 */
export function runbookOfClone(remote: string): string | undefined {
  const place = remote
    .trim()
    .replace(/\/?$|\.git\/?$/, '')
    .replace(/^((?:https|ssh):\/\/[^/]*?):\d+(?=\/)/, '$1');
  const form = /^(?:https:\/\/|ssh:\/\/)?(?:[^@\s/]*@)?(?<host>[a-z.]+)[:/](?<path>[\w.-]+(?:\/[\w.-]+)+)$/;
  const { host = '', path = '' } = form.exec(place)?.groups ?? {};
  const files = Object.hasOwn(FORGES, host) ? FORGES[host] : undefined;
  return files === undefined ? undefined : `https://${host}/${path}/${files}/${PAGE}`;
}

/** The config with an address of the runbook: its own, else that of the clone in `root`, where that has one. */
export function withRunbook(config: Config, root: string): Config {
  // In a folder of one's own, the remote is that of another repository.
  if (config.runbook !== undefined || !existsSync(join(root, PAGE))) return config;
  // Only what git needs (its own config is in HOME): with NODE_DEBUG=child_process, Node prints the whole environment.
  const { PATH, HOME } = process.env;
  const options = { cwd: root, encoding: 'utf8', env: { PATH, HOME } } as const;
  const { stdout } = spawnSync('git', ['config', '--get', 'remote.origin.url'], options);
  const runbook = runbookOfClone(stdout ?? '');
  return runbook === undefined ? config : { ...config, runbook };
}

/** An address that leads to the section; without an address, the name of the section. */
export function runbookPlace({ runbook }: Pick<Config, 'runbook'>, anchor: string): string {
  const heading = Object.values(HEADINGS).find((one) => anchorOf(one) === anchor);
  return runbook === undefined ? `${PAGE}, section "${heading}"` : `${runbook}#${anchor}`;
}
