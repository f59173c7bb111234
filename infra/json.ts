/** What CloudFormation's JSON is made of. */
export type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json };

/** What CloudFormation replaces by a value when the stack is deployed. */
export type Intrinsic =
  | { readonly Ref: string }
  | { readonly 'Fn::GetAtt': readonly [logicalId: string, attribute: string] }
  | { readonly 'Fn::Sub': string };
