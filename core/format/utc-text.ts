/**
 * `2026-11-23 02:14:05 UTC` out of ISO 8601 in UTC, as Offpeak's alerts (`…05.120Z`) and CloudWatch's notifications
 * (`…05.120+0000`) have it; any other text as it is.
 */
export function utcText(at: string): string {
  return at.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|\+00:?00)$/, '$1 $2 UTC');
}
