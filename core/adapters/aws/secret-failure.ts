import { AwsEnvironmentError } from './clients.ts';
import { describeFailure, statusOf } from './failure.ts';

/** A secret cannot be had. The message names the reference and what is wrong with it; it never holds a secret. */
export class SecretUnavailable extends Error {
  override readonly name = 'SecretUnavailable';
}

/** Why the secret is of no use, once it was found or looked for: `is empty`. */
export function unusable(what: string, problem: string): SecretUnavailable {
  return new SecretUnavailable(`${what}, which the config names, ${problem}`);
}

/** What is known of a refusal, by the error's name; `permission` is what the reader needs. */
export function secretUnavailable(what: string, permission: string, failure: unknown): SecretUnavailable {
  const name = failure instanceof Error ? failure.name : '';
  if (/NotFound/.test(name)) return unusable(what, 'does not exist in this account and region');
  if (/AccessDenied|NotAuthorized/.test(name)) {
    return unusable(what, `may not be read: allow this role ${permission}, and kms:Decrypt on its key`);
  }
  return unusable(what, `cannot be read: ${describeSafely(failure)}`);
}

/**
 * An answer that could not be understood is quoted by the parser's own message, and what it quotes may be the secret. So
 * the words are told of a refusal, and of a call to which there was no answer; of anything else the name only.
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
