/** `TypeError: the message`, for what nothing in the code expects. Only its caller knows whether it may hold a secret. */
export function errorText(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** The message alone, where the name of its class says nothing to a person. */
export function messageText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
