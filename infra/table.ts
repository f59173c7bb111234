import type { Resources } from './cloudformation.ts';
import { ID } from './names.ts';

/**
 * Leases and memories. It stays when the stack goes: a lease is what gives a server its settings back. Hence no name of
 * its own, which would be taken when the stack comes again.
 */
export function stateTable(): Resources {
  return {
    [ID.table]: {
      Type: 'AWS::DynamoDB::Table',
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [
          { AttributeName: 'pk', AttributeType: 'S' },
          { AttributeName: 'sk', AttributeType: 'S' },
        ],
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
        TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
        // Neither a slip in the console nor a script takes the leases; deleting begins with switching this off.
        DeletionProtectionEnabled: true,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      },
    },
  };
}
