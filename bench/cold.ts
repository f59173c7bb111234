import { statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findRic, type Ric } from '../test/support/lambda-ric.ts';
import { emptyPackage, openAccount, type Subject, subjectsOf } from './account.ts';
import { median, quantile, table } from './statistics.ts';
import { AIM, importTimes, startTimes } from './times.ts';

/**
 * `npm run bench:cold`: what a start of each packaged function costs, compared with one that does nothing. Absolute times on a shared
 * machine say little, and on Lambda at 256 MiB (a sixth of a CPU) they are longer; the ratios stay.
 */
const IMPORTS = 25;
const STARTS = 5;
const WARM = 5;

const say = (text: string) => void process.stdout.write(`${text}\n`);
const ms = (value: number) => value.toFixed(value < 10 ? 1 : 0);
const kB = (bytes: number) => (bytes / 1000).toFixed(0);
const times = (value: number, reference: number) => `${(value / reference).toFixed(1)}x`;

await run();

async function run(): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const account = await openAccount(stack);
  const emptyFolder = emptyPackage(stack);
  const subjects = subjectsOf(account, emptyFolder);
  say(`Imports: ${IMPORTS} fresh processes each, in turns (cpu: without what other processes took)\n`);
  say(table(importRows(subjects, join(emptyFolder, 'index.mjs'))));
  const ric = await findRic(say);
  if (ric.kind === 'missing') return say(`\nNo invocations: ${ric.reason}`);
  say(
    `\nUnder aws-lambda-ric, against local servers: ${STARTS} containers each, ${WARM} warm invocations in each; medians,`,
  );
  say('and how many times those of an empty handler in the same environment (for notify-slack, both load what leads');
  say('posts to the local Slack, which takes longer than the function itself)\n');
  say(table(await startRows(ric, subjects)));
}

function importRows(subjects: readonly Subject[], empty: string): readonly (readonly string[])[] {
  const urls = [empty, ...subjects.map(({ entry }) => entry)].map((path) => pathToFileURL(path).href);
  const [idle = { wall: [], cpu: [] }, ...all] = [...importTimes(urls, IMPORTS).values()].map((times) => ({
    wall: times.map(({ wall }) => wall),
    cpu: times.map(({ cpu }) => cpu),
  }));
  const row = (name: string, sizes: readonly string[], { wall, cpu }: typeof idle) => {
    const figures = [ms(median(wall)), ms(quantile(wall, 0.9)), ms(median(cpu))];
    return [name, ...sizes, ...figures, times(median(wall), median(idle.wall))];
  };
  const rows = subjects.map(({ name, deployment, entryBytes }, index) => {
    const own = all[index] ?? idle;
    const isMet = entryBytes <= AIM.bytes && median(own.wall) <= AIM.ms;
    return [...row(name, [kB(statSync(deployment.zip).size), kB(entryBytes)], own), isMet ? 'met' : 'missed'];
  });
  const aim = `aim (${kB(AIM.bytes)} kB, ${AIM.ms} ms)`;
  return [
    ['function', 'zip kB', 'entry kB', 'import ms', 'p90', 'cpu ms', 'to empty', aim],
    [...row('(empty)', ['', ''], idle), ''],
    ...rows,
  ];
}

async function startRows(ric: Ric, subjects: readonly Subject[]): Promise<readonly (readonly string[])[]> {
  const rows: string[][] = [['function', 'init ms', '', 'first answer ms', '', 'warm invoke ms', '']];
  for (const subject of subjects) {
    const { own, empty } = await startTimes(ric, subject, { starts: STARTS, warm: WARM });
    const pair = (what: keyof typeof own) => {
      const [value, reference] = [median(own[what]), median(empty[what])];
      return [ms(value), times(value, reference)];
    };
    rows.push([subject.name, ...pair('init'), ...pair('first'), ...pair('warm')]);
  }
  return rows;
}
