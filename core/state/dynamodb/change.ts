import type { AttributeValue, UpdateItemCommandInput } from '@aws-sdk/client-dynamodb';
import { HOUR, type Milliseconds } from '../../config/units.ts';
import { namesIn } from './item.ts';

/** What an UpdateItem has to say, and the token by which its result is recognised. */
export interface Change
  extends Required<
    Pick<
      UpdateItemCommandInput,
      'UpdateExpression' | 'ConditionExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'
    >
  > {
  readonly token: string;
}

interface Intent {
  /** The new document; undefined: remove it. */
  readonly text: string | undefined;
  readonly keepFor?: Milliseconds | undefined;
  /** The version that must be there; undefined: no document must be there. */
  readonly expected: number | undefined;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly token: string;
}

/** Far longer than any lease, and than the client goes on sending one write again. */
const TOMBSTONE_LIFETIME: Milliseconds = 30 * 24 * HOUR;

const IS_LIVE = 'attribute_not_exists(#removed) AND (attribute_not_exists(#expiresAt) OR #expiresAt > :now)';
// Not "has no value": an item that is odd is refused, not overwritten.
const IS_ABSENT = 'attribute_not_exists(#sk) OR #removed = :true OR #expiresAt <= :now';

/**
 * A conditional write or removal.
 *
 * A removed document stays as a tombstone that has its version, and the next one goes on from there: no version comes
 * twice. A key that is new, or whose tombstone is gone, begins at the milliseconds of the clock, which a document would
 * reach otherwise only by a thousand writes a second. If the answer to a removal
 * got lost, the tombstone's token shows whether this write or another one removed the document.
 */
export function changeOf({ text, keepFor, expected, now, token }: Intent): Change {
  const isRemoval = text === undefined;
  const lifetime = isRemoval ? TOMBSTONE_LIFETIME : keepFor;
  const sets = ['#token = :token', ...(lifetime === undefined ? [] : ['#expiresAt = :expiresAt'])];
  const removes = lifetime === undefined ? ['#expiresAt'] : [];
  const UpdateExpression = isRemoval
    ? updateOf([...sets, '#removed = :true'], [...removes, '#value'])
    : updateOf(
        [...sets, '#value = :value', '#version = if_not_exists(#version, :start) + :one'],
        [...removes, '#removed'],
      );
  const ConditionExpression = expected === undefined ? IS_ABSENT : `#version = :expected AND ${IS_LIVE}`;
  const values: Record<string, AttributeValue> = {
    ':token': { S: token },
    ':true': { BOOL: true },
    ':one': { N: '1' },
    ':start': { N: String(Math.floor(now)) },
    ':now': { N: String(Math.floor(now / 1000)) },
    ...(text !== undefined && { ':value': { S: text } }),
    ...(expected !== undefined && { ':expected': { N: String(expected) } }),
    ...(lifetime !== undefined && { ':expiresAt': { N: String(Math.ceil((now + lifetime) / 1000)) } }),
  };
  return {
    token,
    UpdateExpression,
    ConditionExpression,
    ExpressionAttributeNames: namesIn(UpdateExpression, ConditionExpression),
    ExpressionAttributeValues: valuesIn(values, `${UpdateExpression} ${ConditionExpression}`),
  };
}

function updateOf(sets: readonly string[], removes: readonly string[]): string {
  return `SET ${sets.join(', ')} REMOVE ${removes.join(', ')}`;
}

/** DynamoDB refuses a request with a value that its expressions do not use. */
function valuesIn(values: Record<string, AttributeValue>, expressions: string): Record<string, AttributeValue> {
  const used = new Set(expressions.match(/:\w+/g));
  return Object.fromEntries(Object.entries(values).filter(([placeholder]) => used.has(placeholder)));
}
