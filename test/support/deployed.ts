import { join } from 'node:path';
import { CreateTableCommand, type CreateTableCommandInput, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { z } from 'zod';
import type { Workspace } from '../infra/workspace.ts';
import type { Deployment } from './lambda-runtime.ts';

const Value = z.union([z.string(), z.strictObject({ Ref: z.string() }), z.strictObject({ 'Fn::Sub': z.string() })]);

const FunctionResource = z.object({
  Handler: z.string(),
  Timeout: z.number(),
  MemorySize: z.number(),
  Environment: z.object({ Variables: z.record(z.string(), Value) }),
});

const Template = z.object({ Resources: z.record(z.string(), z.object({ Properties: z.unknown() })) });

/** The functions of serverless.yml, with the names that osls gives their zips and resources. */
const FUNCTIONS = {
  maintain: { zip: 'maintain.zip', id: 'MaintainLambdaFunction' },
  dispatch: { zip: 'dispatch.zip', id: 'DispatchLambdaFunction' },
  work: { zip: 'work.zip', id: 'WorkLambdaFunction' },
  notifySlack: { zip: 'notifySlack.zip', id: 'NotifySlackLambdaFunction' },
} as const;

/**
 * A packaged function with the handler, the limits and the environment that the template gives it.
 *
 * @param refs what CloudFormation would know: names and ARNs by logical id, pseudo parameters included
 */
export function deploymentOf(
  workspace: Workspace,
  name: keyof typeof FUNCTIONS,
  refs: Readonly<Record<string, string>>,
): Deployment {
  const { zip, id } = FUNCTIONS[name];
  const { Handler, Timeout, MemorySize, Environment } = FunctionResource.parse(propertiesOf(workspace, id));
  const known = (ref: string): string => {
    const value = refs[ref];
    if (value === undefined) throw new Error(`${id} refers to ${ref}, which the test does not know`);
    return value;
  };
  const resolve = (value: z.infer<typeof Value>): string => {
    if (typeof value === 'string') return value;
    if ('Ref' in value) return known(value.Ref);
    return value['Fn::Sub'].replaceAll(/\$\{([^}]+)\}/g, (_, ref: string) => known(ref));
  };
  const variables = Object.entries(Environment.Variables).map(([key, value]) => [key, resolve(value)]);
  return {
    zip: join(workspace.folder, '.serverless', zip),
    handler: Handler,
    env: Object.fromEntries(variables),
    timeoutMs: Timeout * 1000,
    memory: MemorySize,
  };
}

/** Makes the table that the template has, as far as CreateTable can: time to live and backups are calls of their own. */
export async function createDeployedTable(workspace: Workspace, client: DynamoDBClient, id: string): Promise<string> {
  const { BillingMode, AttributeDefinitions, KeySchema } = propertiesOf(workspace, id) as CreateTableCommandInput;
  const TableName = 'offpeak-prod-StateTable-1ABCDEFGHIJKL';
  await client.send(new CreateTableCommand({ TableName, BillingMode, AttributeDefinitions, KeySchema }));
  return TableName;
}

function propertiesOf(workspace: Workspace, id: string): unknown {
  const template = workspace.read('.serverless/cloudformation-template-update-stack.json').toString('utf8');
  const resource = Template.parse(JSON.parse(template)).Resources[id];
  if (resource === undefined) throw new Error(`the template has no ${id}`);
  return resource.Properties;
}
