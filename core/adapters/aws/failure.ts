interface ResponseMetadata {
  readonly httpStatusCode?: number;
  readonly attempts?: number;
}

/**
 * One line about why a call to AWS failed: its name, its message, and how often it was tried.
 *
 * Only the first line of the message is kept, and 300 characters of it: below it, a refused signature quotes the signed request with the
 * session token.
 */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return `unknown failure: ${String(error).slice(0, 100)}`;
  const firstLine = error.message.trim().split(/[\r\n]/, 1)[0] ?? '';
  const detail = firstLine === '' ? networkCode(error) : firstLine.slice(0, 300).toWellFormed();
  const { attempts = 1 } = metadataOf(error);
  const tried = attempts > 1 ? ` (tried ${attempts} times)` : '';
  return `${error.name}: ${detail}${tried}${remedyOf(error)}`;
}

/** Of a terminal: a function has its role. */
function remedyOf({ name }: Error): string {
  return name === 'CredentialsProviderError' ? '; sign in to AWS, or set AWS_PROFILE' : '';
}

/** Node combines the failures of IPv4 and IPv6 in an AggregateError, which has a code and an empty message. */
function networkCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : 'no message';
}

/** The HTTP status of a failed call, when there was an answer. */
export function statusOf(error: unknown): number | undefined {
  return metadataOf(error).httpStatusCode;
}

/** As every error of the SDK has it. */
function metadataOf(error: unknown): ResponseMetadata {
  const { $metadata } = Object(error) as { readonly $metadata?: ResponseMetadata };
  return $metadata ?? {};
}

/** The environment lacks what a call to AWS needs, or has an invalid value. */
export class AwsEnvironmentError extends Error {
  override readonly name = 'AwsEnvironmentError';
}
