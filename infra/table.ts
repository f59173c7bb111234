import type { Resources } from './cloudformation.ts';
import { ID } from './names.ts';

/**
 * Leases and node histories. The table stays when the stack is deleted, because the leases say which settings to restore. It has no fixed name,
 * which would still be in use when the stack is created again.
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
        // Neither a mistake in the console nor a script deletes the leases: this must be switched off first.
        DeletionProtectionEnabled: true,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      },
    },
  };
}
