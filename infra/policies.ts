import type { Json } from './cloudformation.ts';

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
