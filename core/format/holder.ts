/** The job that holds a lease, for people: a run from a terminal says host, process and time itself, a Lambda's holder is the id of its request. */
export function holderText(holder: string): string {
  return /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(holder) ? `the deployed job, request ${holder}` : holder;
}
