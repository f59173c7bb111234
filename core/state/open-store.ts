import { createDynamoClient } from '../adapters/aws/clients.ts';
import { ENVIRONMENT, EnvironmentError } from '../config/environment.ts';
import type { StateStore } from '../ports/state-store.ts';
import { createDynamoStore } from './dynamodb/store.ts';
import { createFileStore } from './file/file-store.ts';
import { lifetimeOf } from './keys.ts';

/** A state file, as a person may ask for it. */
interface StateFile {
  /** Undefined or empty: none was asked for. */
  readonly asked: string | undefined;
  /** What asks for it, in messages: `STATE_FILE`, `--state`. */
  readonly askedBy: string;
  /** Where it is when neither a file nor a table was asked for. @throws where there has to be one of them. */
  readonly otherwise: () => string;
}

/**
 * The table that STATE_TABLE names, as in a deployment; else a file.
 *
 * @throws {EnvironmentError} when both are asked for, as it is unclear which of them holds the leases, or when the table's
 *   name is none or empty; {AwsEnvironmentError} when the environment does not say where the table is.
 */
export function openStateStore(
  env: Readonly<Record<string, string | undefined>>,
  { asked, askedBy, otherwise }: StateFile,
): StateStore {
  const { stateTable } = ENVIRONMENT;
  const tableName = env[stateTable];
  if (tableName === undefined) return createFileStore(asked || otherwise());
  // An empty name may come from a failed lookup. A local file in place of the table would hold nothing of what the deployed job knows.
  if (tableName === '')
    throw new EnvironmentError(`${stateTable} is set and empty: accepted is a table's name, or none at all`);
  if (asked) throw new EnvironmentError(`${stateTable} and ${askedBy} are both set: accepted is one of them`);
  try {
    return createDynamoStore(createDynamoClient(), { tableName, keepFor: lifetimeOf });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new EnvironmentError(`${stateTable} cannot be used: ${error.message}`);
  }
}
