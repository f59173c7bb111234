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
  const attempts = attemptsOf(error);
  const tried = attempts !== undefined && attempts > 1 ? ` (tried ${attempts} times)` : '';
  return `${error.name}: ${detail}${tried}`;
}

/** Node combines the failures of IPv4 and IPv6 in an AggregateError, which has a code and an empty message. */
function networkCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : 'no message';
}

function attemptsOf(error: Error): number | undefined {
  if (!('$metadata' in error) || typeof error.$metadata !== 'object' || error.$metadata === null) return undefined;
  return 'attempts' in error.$metadata && typeof error.$metadata.attempts === 'number'
    ? error.$metadata.attempts
    : undefined;
}

/** The HTTP status of a failed call, when there was an answer. */
export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined;
  const metadata = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}
