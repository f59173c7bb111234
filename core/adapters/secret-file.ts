import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { unusable } from './aws/secret-failure.ts';

/** A bundle of all public authorities has some 250 kB; what is larger is another file. */
const MOST_BYTES = 1024 * 1024;

/** How a file cannot be read, for the person who set it up. */
const FAILURES: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist: a part of its path is not a folder',
  EISDIR: 'is a folder: name a file in it',
  EACCES: 'may not be read: allow this user to read it',
  EPERM: 'may not be read: allow this user to read it',
  ELOOP: 'is a circle of symbolic links',
};

/**
 * The text of a file, without the line break at its end, which editors and `echo` add.
 *
 * @throws SecretUnavailable with the path and what is wrong, never with the text
 */
export async function readSecretFile(path: string): Promise<string> {
  const what = `the file ${path}`;
  const bytes = await readBytes(path).catch((error: NodeJS.ErrnoException) => {
    throw unusable(what, FAILURES[error.code ?? ''] ?? `cannot be read (${error.code ?? error.name})`);
  });
  if (bytes === 'folder') throw unusable(what, 'is a folder: name a file in it');
  if (bytes === 'other') throw unusable(what, 'is not a file of text: name a regular file');
  if (bytes.length > MOST_BYTES) throw unusable(what, 'is larger than 1 MiB, which no password or certificate is');
  const text = bytes.toString('utf8').replace(/\r?\n$/, '');
  if (text.trim() === '') throw unusable(what, 'is empty');
  return text;
}

/** Not one byte more than needed: a path may lead to a device without an end, or to a pipe that nothing is written to. */
async function readBytes(path: string): Promise<Buffer | 'folder' | 'other'> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await file.stat();
    if (stat.isDirectory()) return 'folder';
    if (!stat.isFile()) return 'other';
    // To its end, whatever size it says: that of a file of the kernel is 0. `end` is the last byte that is read.
    return await buffer(file.createReadStream({ end: MOST_BYTES, autoClose: false }));
  } finally {
    await file.close();
  }
}
