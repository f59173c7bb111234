import type * as z from 'zod/mini';
import { TLS_SECRETS } from './address.ts';
import type { Draft } from './drafts.ts';
import { type Finding, valueAt } from './problem.ts';
import { findRepeated } from './rules.ts';
import { type Path, showPath } from './show.ts';

/** What the configuration is read for: a run from a terminal, or a stack of Lambdas. */
export type Purpose = 'local' | 'deploy';

type Issues = readonly z.core.$ZodIssue[];

/** What must hold for the stack as a whole, beyond the single keys. */
export function applyStackRules(file: unknown, issues: Issues, drafts: readonly Draft[], purpose: Purpose): Finding[] {
  const repeated = emailsAreUnique(file, issues);
  return purpose === 'local' ? repeated : [...repeated, ...secretsAreDeployable(file, drafts)];
}

/** SNS would accept it, and the second subscription would be the same one: a mistake, probably in a name. */
function emailsAreUnique(file: unknown, issues: Issues): Finding[] {
  const listed = valueAt(file, ['notifications', 'emails']);
  const isBroken = issues.some(({ path }) => path[0] === 'notifications');
  if (isBroken || !Array.isArray(listed)) return [];
  const named = listed.map((email, index) => ({
    name: String(Object(email).address ?? email),
    path: ['notifications', 'emails', index],
  }));
  return findRepeated(named, 'each address once');
}

/**
 * A variable of the deploying shell would have to be copied into the function's settings, and a file into its package, which everyone who may
 * view the function can read. In a stack, secrets come from where they are kept.
 */
function secretsAreDeployable(file: unknown, drafts: readonly Draft[]): Finding[] {
  const webhook: Path = ['notifications', 'slack', 'webhook'];
  const written = valueAt(file, webhook);
  const ofSlack = typeof written === 'string' ? refuseLocal(/^(?:env|file)(?=:)/.exec(written)?.[0], webhook) : [];
  const ofInstances = drafts.flatMap(({ settings: { credentials, tls, discover }, placeOf }) => [
    ...refuseLocal(credentials?.password?.source, [...placeOf('credentials'), 'password']),
    ...refuseLocal(discover?.sentinel?.credentials?.password?.source, [
      ...placeOf('discover'),
      'sentinel',
      'credentials',
      'password',
    ]),
    ...TLS_SECRETS.flatMap((key) => refuseLocal(tls?.[key]?.source, [...placeOf('tls'), key])),
  ]);
  const findings = [...ofInstances, ...ofSlack];
  return [...new Map(findings.map((finding) => [showPath(finding.path), finding])).values()];
}

const LOCAL: Readonly<Record<string, string>> = {
  env: 'env: is for runs from a terminal: a Lambda has no variables of that shell',
  file: 'file: is for runs from a terminal: a Lambda has no files of that machine',
};

function refuseLocal(source: string | undefined, path: Path): Finding[] {
  const message = source === undefined ? undefined : LOCAL[source];
  if (message === undefined) return [];
  const accepted = 'ssm:/path/of/parameter or secretsmanager:name, which the deployed functions can read';
  return [{ path, accepted, message }];
}
