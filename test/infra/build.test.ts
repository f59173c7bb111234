import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AIM } from '../../bench/times.ts';
import { type Built, buildFunctions } from '../../infra/build.ts';
import { contentsOf } from '../support/bundle-contents.ts';
import { deployable, stackFile } from '../unit/infra/stacks.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

describe('what a start loads', () => {
  let workspace: Workspace;
  let all: readonly Built[];
  beforeAll(async () => {
    workspace = makeWorkspace();
    const keys = ['maintain', 'dispatch', 'work', 'notifySlack'] as const;
    all = await buildFunctions(workspace.folder, deployable(stackFile()), keys);
  });
  afterAll(() => workspace?.[Symbol.dispose]());

  test.each(['maintain', 'dispatch', 'work', 'notify-slack'])('of %s is within the aim', (folder) => {
    expect(all.find((one) => one.folder === folder)?.entryBytes).toBeLessThanOrEqual(AIM.bytes);
  });

  test('of the job is what docs/adr/ says of it, within 10 KB', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/adr/0006-esm-in-chunks.md'), 'utf8');
    const [, told] = /^\| in pieces, as it is packaged \| (\d+) KB/m.exec(page) ?? [];
    const { entryBytes = 0 } = all.find(({ folder }) => folder === 'maintain') ?? {};
    expect(Math.abs(entryBytes / 1000 - Number(told))).toBeLessThan(10);
  });

  test('is nothing that only a terminal needs: no YAML parser, and no file for the state', () => {
    const files = all.flatMap(({ metafile }) =>
      Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs)),
    );
    expect(
      files.filter((path) =>
        /node_modules\/yaml\/|config\/schema\.ts|state\/file\/(database|contents|file-failure)\.ts/.test(path),
      ),
    ).toEqual([]);
  });

  test('of a worker is nothing that discovers, and no client of SQS; of a dispatch nothing that acts on a node', () => {
    const loads = (folder: string) => {
      const one = all.find((built) => built.folder === folder);
      const files = Object.entries(one?.metafile.outputs ?? {}).filter(([path]) => one?.started.has(path));
      return files.flatMap(([, { inputs }]) =>
        Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
      );
    };
    const odd = (folder: string, pattern: RegExp) => loads(folder).filter((path) => pattern.test(path));
    expect(
      odd('work', /core\/discovery\/(cluster|sentinel)|client-(sqs|elasticache|memorydb|resource-groups)/),
    ).toEqual([]);
    expect(odd('dispatch', /core\/actions\/.*\/execute|core\/reconcile\/(instance|idle-node|leased-node)/)).toEqual([]);
    expect(odd('maintain', /client-sqs|powertools\/batch/)).toEqual([]);
  });

  test('is nothing that most ticks do without: the clients of SNS, of secrets and of discovery come when they are needed', () => {
    const contents = all.flatMap((one) => contentsOf(one));
    for (const name of ['sns', 'ssm', 'secrets-manager', 'elasticache', 'memorydb', 'resource-groups-tagging-api']) {
      const clients = contents.filter((one) => one.name === `@aws-sdk/client-${name}`);
      expect(clients.length).toBeGreaterThan(0);
      expect(clients.map(({ start, later }) => [start, later > 0])).toEqual(clients.map(() => [0, true]));
    }
  });
});
