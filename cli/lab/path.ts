import { access, constants, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Whether it is a file that this process may execute. */
export async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** The first executable of that name on the PATH, as a shell would take it; undefined when there is none. */
export async function onPath(name: string): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    if (folder.startsWith('/') && (await isExecutable(path))) return path;
  }
  return undefined;
}

/** Those of the commands that are not on the PATH. */
export async function missingCommands(names: readonly string[]): Promise<string[]> {
  const found = await Promise.all(names.map(onPath));
  return names.filter((_, index) => found[index] === undefined);
}
