import { byLogicalId, type Json, type Resource, type Resources } from './cloudformation.ts';

/** One `Allow` of a policy. */
export type Statement = { readonly [key: string]: Json };

export function allow(actions: readonly string[], resources: readonly Json[], condition?: Statement): Statement {
  return {
    Effect: 'Allow',
    Action: actions,
    Resource: resources,
    ...(condition !== undefined && { Condition: condition }),
  };
}

export function policy(statements: readonly Statement[]): { readonly [key: string]: Json } {
  return { Version: '2012-10-17', Statement: statements };
}

/** More than any ARN of this stack has: a stage has 20 characters at most. */
const LONGEST_ARN = 160;

/**
 * How many characters IAM counts in a policy, at most: without white space, and once CloudFormation has filled it in. The names of
 * what it fills in (`${AWS::AccountId}`) are no shorter than what comes in their place.
 */
export function charactersOf(statements: readonly Statement[]): number {
  const filledIn = (_: string, value: unknown) => {
    if (typeof value !== 'object' || value === null) return value;
    if ('Fn::Sub' in value) return value['Fn::Sub'];
    return 'Ref' in value || 'Fn::GetAtt' in value ? 'x'.repeat(LONGEST_ARN) : value;
  };
  return JSON.stringify(policy(statements), filledIn).length;
}

/** One right on some resources. */
export interface Grant {
  readonly action: string;
  readonly resources: readonly Json[];
  /** For the names of the policies that hold it, where it takes policies of its own. */
  readonly title: string;
}

/** IAM takes 6,144 characters in a managed policy. */
const MOST_CHARACTERS = 6_000;

/**
 * The rights as separate policies, for more resources than a role's inline policy can name. The role attaches them, and not the policies
 * themselves: the function waits for its role, and starts with all of them.
 */
export function managedPolicies(prefix: string, grants: readonly Grant[]): Resources {
  const policies = grants.flatMap(({ action, title, resources }) =>
    chunksOf(action, resources).map((chunk, index): [string, Resource] => [
      `${prefix}${title}${index + 1}`,
      { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument: policy([allow([action], chunk)]) } },
    ]),
  );
  return byLogicalId(policies);
}

/** In the order in which they come, each as full as a policy may be. */
function chunksOf(action: string, resources: readonly Json[]): readonly (readonly Json[])[] {
  const chunks: Json[][] = [];
  for (const resource of resources) {
    const last = chunks.at(-1);
    if (last !== undefined && charactersOf([allow([action], [...last, resource])]) <= MOST_CHARACTERS) {
      last.push(resource);
    } else {
      chunks.push([resource]);
    }
  }
  return chunks;
}

export function uniqueBy<T>(all: readonly T[], keyOf: (one: T) => string): readonly T[] {
  return [...new Map(all.map((one) => [keyOf(one), one])).values()];
}
