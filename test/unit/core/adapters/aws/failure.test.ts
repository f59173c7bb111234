import { describe, expect, test } from 'vitest';
import { describeFailure, statusOf } from '../../../../../core/adapters/aws/failure.ts';

const named = (name: string, message: string, more: object = {}) =>
  Object.assign(new Error(message), { name, ...more });

describe('a failed call is one line for people', () => {
  test.each<[string, unknown, string]>([
    ['name and message', named('AccessDenied', 'not authorized'), 'AccessDenied: not authorized'],
    [
      'how often it was tried',
      named('Throttling', 'Rate exceeded', { $metadata: { attempts: 3 } }),
      'Throttling: Rate exceeded (tried 3 times)',
    ],
    [
      'the code of a connection that failed twice',
      named('AggregateError', '', { code: 'ECONNREFUSED' }),
      'AggregateError: ECONNREFUSED',
    ],
    [
      'a terminal without credentials, and what to do',
      named('CredentialsProviderError', 'Could not load credentials from any providers'),
      'CredentialsProviderError: Could not load credentials from any providers; sign in to AWS, or set AWS_PROFILE',
    ],
    ['an error that says nothing', named('UnknownError', ''), 'UnknownError: no message'],
    ['something that is no error', 'boom', 'unknown failure: boom'],
  ])('%s', (_, error, line) => {
    expect(describeFailure(error)).toBe(line);
  });

  test('the signed request that AWS quotes below a refused signature, token included, is left out', () => {
    const message =
      "The signature does not match.\n\nThe Canonical String was 'POST\n/\nx-amz-security-token:IQoJb3JpZ2lu'";
    expect(describeFailure(named('SignatureDoesNotMatch', message))).toBe(
      'SignatureDoesNotMatch: The signature does not match.',
    );
  });

  test('a message is cut at 300 characters', () => {
    expect(describeFailure(named('E', 'x'.repeat(5_000)))).toHaveLength('E: '.length + 300);
  });
});

test('the status is known only where there was an answer', () => {
  expect(statusOf(named('E', '', { $metadata: { httpStatusCode: 413 } }))).toBe(413);
  expect(statusOf(named('E', '', { $metadata: {} }))).toBeUndefined();
  expect(statusOf(named('E', '', { $metadata: null }))).toBeUndefined();
  expect(statusOf('boom')).toBeUndefined();
});
