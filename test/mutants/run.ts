import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Edit, MUTANTS, type Mutant } from './mutants.ts';

/**
 * `npm run test:mutants`: breaks each law in a copy of the project, in one line, and expects its tests to fail. A law whose tests
 * pass all the same is not proven by them. With words (`-- S7`, `-- 'the outbox'`), only those mutants whose line holds one of them;
 * with `-- --quick` one of each law, of those that unit tests catch: that takes a minute.
 */
const ROOT = join(import.meta.dirname, '../..');
const LEFT_OUT = ['node_modules', '.git', 'dist', '.serverless', '.offpeak'];
const say = (text: string) => process.stdout.write(`${text}\n`);

const copy = mkdtempSync(join(tmpdir(), 'offpeak-mutants-'));
try {
  cpSync(ROOT, copy, { recursive: true, filter: (path) => !LEFT_OUT.includes(basename(path)) });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  const words = process.argv.slice(2);
  const chosen = words.includes('--quick') ? oneOfEachLaw() : MUTANTS.filter((mutant) => isNamed(mutant, words));
  let caught = 0;
  for (const mutant of chosen) caught += (await isCaught(mutant)) ? 1 : 0;
  say(`${caught} of ${chosen.length} mutants were caught.`);
  process.exitCode = caught === chosen.length ? 0 : 1;
} finally {
  rmSync(copy, { recursive: true, force: true });
}

function isNamed({ law, what }: Mutant, words: readonly string[]): boolean {
  return words.length === 0 || words.some((word) => `${law} ${what}`.includes(word));
}

function isOfUnits({ tests }: Pick<Mutant, 'tests'>): boolean {
  return tests.every((test) => test.startsWith('unit/'));
}

function oneOfEachLaw(): readonly Mutant[] {
  return Object.values(Object.groupBy(MUTANTS.filter(isOfUnits), ({ law }) => law)).flatMap((some) => some.slice(0, 1));
}

async function isCaught(mutant: Mutant): Promise<boolean> {
  const { law, what, also, tests } = mutant;
  const edits = [mutant, ...(also ? [also] : [])];
  const restore = edits.map(broken);
  try {
    const failed = await failedTest(tests);
    say(`${failed === undefined ? 'SURVIVED' : 'caught  '} ${law} ${what}${failed ? `: ${failed}` : ''}`);
    return failed !== undefined;
  } finally {
    for (const undo of restore) undo();
  }
}

/** Writes an edit into the copy. Answers what undoes it. */
function broken({ file, from, to }: Edit): () => void {
  const path = join(copy, file);
  const text = readFileSync(path, 'utf8');
  if (text.split(from).length !== 2) throw new Error(`${file} does not hold exactly once: ${from}`);
  writeFileSync(
    path,
    text.replace(from, () => to),
  );
  return () => writeFileSync(path, text);
}

/** The first test that failed; undefined where all passed. */
async function failedTest(tests: readonly string[]): Promise<string | undefined> {
  const file = join(copy, 'report.json');
  rmSync(file, { force: true });
  const files = tests.map((test) => `test/${test}`);
  const said = await vitest(['--reporter=json', `--outputFile=${file}`, '--bail=1', ...files], file, tests);
  const report = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Report) : undefined;
  const results = report?.testResults.flatMap(({ assertionResults }) => assertionResults) ?? [];
  const failed = results.find(({ status }) => status === 'failed');
  if (failed) return failed.fullName;
  if (!report?.success || report.numTotalTests === 0) throw new Error(`no verdict of ${files}:\n${said}`);
  return undefined;
}

/** Answers what it said. After `--bail` Vitest may write its report and never end: then it is ended, ten seconds later. */
async function vitest(args: readonly string[], report: string, tests: readonly string[]): Promise<string> {
  const project = isOfUnits({ tests }) ? ['--project=unit'] : [];
  const child = spawn('npx', ['vitest', 'run', ...project, ...args], { cwd: copy, detached: true });
  const ended = once(child, 'close');
  const said: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => void said.push(chunk));
  const stopped = new AbortController();
  void ended.finally(() => stopped.abort());
  while (!stopped.signal.aborted) {
    const isDone = existsSync(report);
    await pause(isDone ? 10_000 : 500, undefined, { signal: stopped.signal }).catch(() => undefined);
    // The whole group: npx and Vitest.
    if (isDone && !stopped.signal.aborted && child.pid) process.kill(-child.pid, 'SIGKILL');
  }
  await ended;
  return Buffer.concat(said).toString();
}

interface Report {
  readonly success: boolean;
  readonly numTotalTests: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}
