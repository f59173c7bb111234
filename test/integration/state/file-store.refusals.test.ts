import { mkdir, mkdtempDisposable, readdir, readFile, rmdir, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StateUnavailable } from '../../../core/ports/state-store.ts';
import { createFileStore } from '../../../core/state/file/file-store.ts';

let folder: Awaited<ReturnType<typeof mkdtempDisposable>>;
let path: string;

beforeEach(async () => {
  folder = await mkdtempDisposable(join(tmpdir(), 'offpeak-state-'));
  path = join(folder.path, 'state.json');
});
afterEach(() => folder.remove());

describe('a file that is no whole state file', () => {
  const document = (entry: string, next = '9') =>
    `{"format":"offpeak/state@1","next":${next},"documents":{"k":${entry}}}`;
  test.each([
    ['an empty file', '', /is empty/],
    ['blanks', ' \n', /not valid JSON/],
    ['a truncated file', '{"format": "offpeak/state@1",\n "next": 1,', /not valid JSON/],
    ['a broken line', '{\n  "next": 1;\n}', /not valid JSON \(line 2 column 12\)/],
    ['bytes that are no text', Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), /not UTF-8/],
    ['a list', '[]', /does not hold a JSON object/],
    ['null', 'null', /does not hold a JSON object/],
    ['some other JSON', '{"name": "offpeak"}', /no "format"/],
    ['a later format', '{"format": "offpeak/state@2"}', /the format "offpeak\/state@2".*reads "offpeak\/state@1"/],
    ['an unknown key', '{"format":"offpeak/state@1","next":1,"documents":{},"extra":1}', /unknown key "extra"/],
    ['no next', '{"format":"offpeak/state@1","documents":{}}', /"next"/],
    ['next 0', '{"format":"offpeak/state@1","next":0,"documents":{}}', /"next"/],
    ['next as a text', '{"format":"offpeak/state@1","next":"2","documents":{}}', /"next"/],
    ['no documents', '{"format":"offpeak/state@1","next":1}', /"documents"/],
    ['documents as a list', '{"format":"offpeak/state@1","next":1,"documents":[]}', /"documents"/],
    ['a document without an envelope', document('"bare"'), /no "value" in document "k"/],
    ['a document without a value', document('{"version":1}'), /no "value" in document "k"/],
    [
      'a document without a version',
      document('{"value":1}'),
      /no version from 1 to below "next" \(9\) in document "k"/,
    ],
    ['a broken version', document('{"version":1.5,"value":1}'), /no version/],
    ['a version that is still to be given', document('{"version":9,"value":1}'), /no version/],
    ['an unknown key in a document', document('{"version":1,"value":1,"ttl":3}'), /unknown key "ttl" in document "k"/],
  ])('%s is refused by every method, with the place and what to do, and left as it is', async (_, content, problem) => {
    await writeFile(path, content);
    const store = createFileStore(path);
    const attempts = [store.read('k'), store.list(''), store.write('k', 1, undefined), store.remove('k', 1)];
    for (const result of await Promise.allSettled(attempts)) {
      const error: unknown = result.status === 'rejected' ? result.reason : undefined;
      expect(error).toBeInstanceOf(StateUnavailable);
      expect(String(error)).toMatch(problem);
      expect(String(error)).toContain(path);
      expect(String(error)).toMatch(/Repair it or restore a copy/);
    }
    expect(await readFile(path)).toEqual(Buffer.from(content));
  });

  test('a refusal quotes nothing of what the file holds', async () => {
    await writeFile(path, '{"password": "hunter2", broken');
    const error: unknown = await createFileStore(path)
      .read('k')
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StateUnavailable);
    expect(String(error)).not.toMatch(/hunter2|password/);
  });
});

describe('a place that holds no state file', () => {
  // The tests may run as root, whom no permission stops: what stands in the way stops everybody.
  const inTheWay: Record<string, (path: string) => Promise<unknown>> = {
    'a folder in its place': (path) => mkdir(path),
    'a folder where the new file is prepared': (path) => mkdir(`${path}.tmp`),
    'a folder in place of the lock': (path) => mkdir(`${path}.lock`),
    'something else in place of the lock': (path) => writeFile(`${path}.lock`, 'a text of some length, but no lock'),
    'a link that leads in a circle': (path) => symlink(path, path),
  };
  test.each(Object.keys(inTheWay))('%s makes a write fail with the place and what to do', async (obstacle) => {
    await inTheWay[obstacle]?.(path);
    const before = await readdir(folder.path);
    const writing = createFileStore(path).write('k', 1, undefined);
    await expect(writing).rejects.toThrow(StateUnavailable);
    await expect(writing).rejects.toThrow(path);
    await expect(writing).rejects.toThrow(/move it away|name another|this user may/);
    expect((await readdir(folder.path)).filter((name) => name !== 'state.json.lock')).toEqual(
      before.filter((name) => name !== 'state.json.lock'),
    );
  });

  test('a file where the path needs a folder fails reads and writes', async () => {
    await createFileStore(path).write('k', 1, undefined);
    const store = createFileStore(join(path, 'state.json'));
    await expect(store.read('k')).rejects.toThrow(/A part of its path is a file/);
    await expect(store.write('k', 1, undefined)).rejects.toThrow(/A part of its path is a file/);
  });

  test('the same handle writes again once the way is free', async () => {
    const store = createFileStore(path);
    await mkdir(`${path}.tmp`);
    await expect(store.write('k', 1, undefined)).rejects.toThrow(StateUnavailable);
    await rmdir(`${path}.tmp`);
    expect(await store.write('k', 1, undefined)).toEqual({ stored: true, version: 1 });
  });
});
