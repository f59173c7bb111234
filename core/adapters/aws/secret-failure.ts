import { AwsEnvironmentError, describeFailure, statusOf } from './failure.ts';

/** A secret cannot be read. The message names the place and the cause, never a secret; which key or option led there, the caller adds. */
export class SecretUnavailable extends Error {
  override readonly name = 'SecretUnavailable';
}

/** Why a secret cannot be used, like `is empty`. */
export function unusable(what: string, problem: string): SecretUnavailable {
  return new SecretUnavailable(`${what} ${problem}`);
}

/** The cause by the error's name; `permission` is the one that reading requires. */
export function secretUnavailable(what: string, permission: string, failure: unknown): SecretUnavailable {
  const name = failure instanceof Error ? failure.name : '';
  if (/NotFound/.test(name)) return unusable(what, 'does not exist in this account and region');
  if (/AccessDenied|NotAuthorized/.test(name)) {
    return unusable(what, `may not be read: allow this role ${permission}, and kms:Decrypt on its key`);
  }
  return unusable(what, `cannot be read: ${describeSafely(failure)}`);
}

/**
 * The parser's message about a malformed answer quotes the answer, which may hold the secret. So the message is shown of a refusal and of a
 * call without an answer; of any other error only the name.
 */
function describeSafely(failure: unknown): string {
  if (failure instanceof AwsEnvironmentError) return failure.message;
  const isRefusal = (statusOf(failure) ?? 200) >= 400;
  if (isRefusal || hasNoAnswer(failure)) return describeFailure(failure);
  return failure instanceof Error ? failure.name : 'an unknown failure';
}

function hasNoAnswer(failure: unknown): boolean {
  return failure instanceof Error && ('code' in failure || /^(Timeout|CredentialsProvider)Error$/.test(failure.name));
}
