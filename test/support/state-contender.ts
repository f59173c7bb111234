import { writeSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { createFileStore } from '../../core/state/file/file-store.ts';

/**
 * Another process at work on a state file: `node state-contender.ts <path> <part>`.
 *
 * - `lease`: for each message, tries to create `lease#sessions` with that message as the value, and answers the result
 * - `count <n>`: adds 1 to `count` n times, retrying after conflicts, and prints each value once it is stored
 * - `hold`: begins a change of the database, says so, and never ends it
 * - `fill <bytes>`: writes one document of that size over `count`, and prints `stored` or the error's name and message
 * - `unprivileged`: gives up root, if it is root, prints `read` and the value of `count`, and then does as `fill 1`
 */
const [path = '', part, amount] = process.argv.slice(2);
const store = createFileStore(path, { lockWait: 20_000 });

/** Synchronous, so that what was printed before a kill -9 has reached the pipe. */
function print(line: string): void {
  writeSync(1, `${line}\n`);
}

function contendForLease(): void {
  process.on('message', async (message) => process.send?.(await store.write('lease#sessions', message, undefined)));
  process.send?.('ready');
}

async function count(times: number): Promise<void> {
  for (let done = 0; done < times; ) {
    const stored = await store.read('count');
    const next = Number(stored?.value ?? 0) + 1;
    if (!(await store.write('count', next, stored?.version)).stored) continue;
    done++;
    print(String(next));
  }
}

function hold(): void {
  const database = new DatabaseSync(path);
  database.exec('BEGIN IMMEDIATE');
  process.send?.('held');
  // The timer has to refer to the database: one that nothing refers to is collected, and its lock with it.
  setInterval(() => process.connected || process.exit(database.isOpen ? 0 : 1), 1_000);
}

async function fill(bytes: number): Promise<void> {
  // Sent by the kernel where a file would pass the shell's ulimit; its default is to end the process.
  process.on('SIGXFSZ', () => undefined);
  const stored = await store.read('count');
  try {
    await store.write('count', 'x'.repeat(bytes), stored?.version);
    print('stored');
  } catch (error) {
    print(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  }
}

if (part === 'lease') contendForLease();
else if (part === 'count') await count(Number(amount));
else if (part === 'hold') hold();
else if (part === 'fill') await fill(Number(amount));
else if (part === 'unprivileged') {
  // The numeric id of nobody. By now every module is loaded, so it need not be able to read the project.
  if (process.getuid?.() === 0) process.setuid?.(65_534);
  print(`read ${(await store.read('count'))?.value}`);
  await fill(1);
} else throw new Error(`unknown part ${part}: lease, count, hold, fill or unprivileged`);
