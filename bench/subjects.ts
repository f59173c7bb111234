import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FUNCTIONS } from '../infra/functions.ts';
import { deploymentOf } from '../test/support/deployed.ts';
import type { Deployment } from '../test/support/lambda-runtime.ts';
import { aNotification, anEvent } from '../test/unit/functions/notify-slack/sns-events.ts';
import type { Account } from './account.ts';

/** What is measured. */
export interface Subject {
  readonly name: string;
  /** The module with the handler. */
  readonly entry: string;
  readonly entryBytes: number;
  readonly deployment: Deployment;
  /** A function that does nothing, in the same environment: what Node and the runtime cost alone. */
  readonly empty: Deployment;
  /** A new one at each call. */
  event(): unknown;
}

const PRELOAD = join(import.meta.dirname, '..', 'test', 'support', 'preload-slack.ts');

/** The packaged functions, with events that they handle to the end: a check of a healthy server, a post to Slack. */
export function subjectsOf(account: Account, emptyFolder: string): readonly Subject[] {
  const slack = { NODE_OPTIONS: `--import=${PRELOAD}`, SLACK_STAND_IN: account.slackHost };
  return [
    subject(account, emptyFolder, { key: 'maintain', env: {}, event: () => ({ source: 'aws.scheduler' }) }),
    subject(account, emptyFolder, {
      key: 'notifySlack',
      env: slack,
      event: () => anEvent(aNotification()),
    }),
  ];
}

interface Kind extends Pick<Subject, 'event'> {
  readonly key: keyof typeof FUNCTIONS;
  readonly env: Readonly<Record<string, string>>;
}

function subject({ workspace, built, refs, env }: Account, emptyFolder: string, kind: Kind): Subject {
  const folder = FUNCTIONS[kind.key];
  const deployment = deploymentOf(workspace, kind.key, refs);
  const whole = { ...deployment, env: { ...deployment.env, ...env, ...kind.env } };
  return {
    name: folder,
    entry: join(workspace.folder, `${deployment.handler.replace(/\.[^.]+$/, '')}.mjs`),
    entryBytes: built.find((one) => one.folder === folder)?.entryBytes ?? Number.NaN,
    deployment: whole,
    empty: { ...whole, zip: emptyFolder, handler: 'index.handler' },
    event: kind.event,
  };
}

/** A package whose handler returns nothing. */
export function emptyPackage(stack: AsyncDisposableStack): string {
  const folder = mkdtempSync(join(tmpdir(), 'offpeak-empty-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'index.mjs'), 'export const handler = async () => {};\n');
  return folder;
}
