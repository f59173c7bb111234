import which from 'which';

/** The path of an executable file: the path itself, or the first of that name on the PATH; undefined when there is none. */
export async function executable(nameOrPath: string): Promise<string | undefined> {
  return (await which(nameOrPath, { nothrow: true })) ?? undefined;
}

/** Those of the commands that are not on the PATH. */
export async function missingCommands(names: readonly string[]): Promise<string[]> {
  const found = await Promise.all(names.map(executable));
  return names.filter((_, index) => found[index] === undefined);
}
