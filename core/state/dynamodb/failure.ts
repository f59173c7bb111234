import { describeFailure, statusOf } from '../../adapters/aws/failure.ts';
import { ENVIRONMENT } from '../../config/environment.ts';
import { StateUnavailable } from '../../ports/state-store.ts';
import { OddItem } from './item.ts';

type Attempt = 'read' | 'written';

interface Remedy {
  readonly when: RegExp;
  readonly say: string;
}

/** By the name of the error. */
const REMEDIES: readonly Remedy[] = [
  {
    when: /^ResourceNotFound/,
    say: `Deploy the stack that makes the table, or correct ${ENVIRONMENT.stateTable} and AWS_REGION.`,
  },
  {
    when: /AccessDenied|NotAuthorized/,
    say: 'Allow this role dynamodb:GetItem, dynamodb:BatchGetItem, dynamodb:Query and dynamodb:UpdateItem on the table, and the use of its key where it has one.',
  },
  { when: /Credentials|Token|UnrecognizedClient|Signature/, say: 'Check the AWS credentials of this process.' },
  {
    when: /Throttl|ThroughputExceeded|LimitExceeded/,
    say: 'Too much is asked of it at once: the next run tries again. Give the table on-demand capacity, if it has not got it.',
  },
  {
    when: /^Validation/,
    say: 'It needs the partition key "pk" and the sort key "sk", both of type S, and no other key.',
  },
];

/**
 * The refusal for a failed call to the table. The failure itself is not attached: its message can hold the signed request,
 * session token included, and a logged error shows its cause.
 */
export function unavailable(table: string, attempt: Attempt, failure: unknown): StateUnavailable {
  if (failure instanceof OddItem) return holdsOddItem(table, failure);
  const remedy = REMEDIES.find(({ when }) => failure instanceof Error && when.test(failure.name))?.say;
  const reason = describeFailure(failure).replace(/\.*$/, '.');
  return new StateUnavailable(
    `The state table ${table} cannot be ${attempt}: ${reason} ${remedy ?? remedyWithout(attempt, failure)}`,
  );
}

function holdsOddItem(table: string, { message }: OddItem): StateUnavailable {
  return new StateUnavailable(
    `The state table ${table} holds what this Offpeak has not written: ${message}. Nothing was changed. Repair or restore it; before deleting it, see that no server has active defragmentation left on (the item may hold what undoes it).`,
  );
}

function remedyWithout(attempt: Attempt, failure: unknown): string {
  const status = statusOf(failure);
  const isRefused = status !== undefined && status >= 400 && status < 500;
  if (isRefused) return 'See the table in the console; the next run tries again.';
  const doubt = attempt === 'written' ? ' Whether the change was made is not known: read again to see.' : '';
  if (status !== undefined) return `DynamoDB itself failed: the next run tries again.${doubt}`;
  return `No answer comes from it: a VPC without NAT needs a gateway endpoint for DynamoDB.${doubt}`;
}
